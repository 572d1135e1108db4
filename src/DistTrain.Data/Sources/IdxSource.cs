using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>Pairs of IDX files.</summary>
internal static class IdxSource
{
    public static RawPair Read(IdxSpec spec, string baseFolder, CancellationToken cancel)
    {
        RawData train = ReadPart(spec.Train, "train", baseFolder, spec.Classes, spec.TargetsAreInputs, cancel);
        RawData? test = spec.Test is null
            ? null
            : ReadPart(spec.Test, "test", baseFolder, train.ClassNames?.Count, spec.TargetsAreInputs, cancel);
        if (test is not null && test.Features.Columns != train.Features.Columns)
        {
            throw new InvalidInputException(
                $"{test.Name}: its rows have {test.Features.Columns} values, "
                + $"and those of {train.Name} have {train.Features.Columns}.");
        }

        return new RawPair(train, test);
    }

    private static RawData ReadPart(
        IdxFiles files, string part, string baseFolder, int? classes, bool labelsOptional, CancellationToken cancel)
    {
        string imagesPath = InputFile.Locate(baseFolder, files.Images, $"data: {part}: images");
        IdxFile images = IdxFile.Read(imagesPath);
        cancel.ThrowIfCancellationRequested();
        RawData data = new(Path.GetFileName(imagesPath), images.ToFeatures());
        if (files.Labels is null)
        {
            return labelsOptional
                ? data
                : throw new InvalidInputException(
                    $"data: {part}: labels: a file of labels is needed, unless `targets: inputs` is set.");
        }

        string labelsPath = InputFile.Locate(baseFolder, files.Labels, $"data: {part}: labels");
        byte[] labels = IdxFile.Read(labelsPath).ToLabels();
        if (labels.Length != data.Features.Rows)
        {
            throw new InvalidInputException(
                $"{labelsPath}: {labels.Length} labels for the {data.Features.Rows} images of {imagesPath}.");
        }

        int count = classes ?? labels.Max() + 1;
        int wrong = Array.FindIndex(labels, label => label >= count);
        if (wrong >= 0)
        {
            throw new InvalidInputException(
                $"{labelsPath}: row {wrong + 1} has the label {labels[wrong]}, and the {count} classes are 0 to {count - 1}.");
        }

        return data with
        {
            Labels = [.. labels.Select(label => (int)label)],
            ClassNames = [.. Enumerable.Range(0, count).Select(label => $"{label}")],
        };
    }
}
