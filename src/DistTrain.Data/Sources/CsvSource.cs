using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>One or two CSV files.</summary>
internal static class CsvSource
{
    public static RawPair Read(CsvSpec spec, string baseFolder, CancellationToken cancel)
    {
        RefuseContradictions(spec);
        string trainPath = InputFile.Locate(baseFolder, spec.Train, "data: train");
        string? testPath = spec.Test is null ? null : InputFile.Locate(baseFolder, spec.Test, "data: test");
        LabelSet labels = new(spec.Classes);
        CsvTable table = CsvTable.Read(trainPath, spec, labels, cancel);
        RawData train = table.ToData(trainPath);
        RawData? test = null;
        if (testPath is not null)
        {
            CsvTable testTable = CsvTable.Read(testPath, spec, labels, cancel);
            table.Columns.RequireSame(testTable.Columns);
            test = testTable.ToData(testPath);
        }
        else if (spec.Split is not null)
        {
            (int[] trainRows, int[] testRows) = table.SplitRows(trainPath);
            (train, test) = (train.Select(trainRows), train.Select(testRows));
        }

        return NameOneHotClasses(train, test, table.Columns);
    }

    private static void RefuseContradictions(CsvSpec spec)
    {
        int targets = spec.TargetColumns?.Count ?? 0;
        string? wrong = (spec.Label, targets, spec.TargetsAreInputs) switch
        {
            (null, 0, false) =>
                "data: name the column of classes (`label`), the target columns (`targets`), or set `targets: inputs`.",
            (not null, > 0, _) => "data: targets: `label` names the targets already; drop one of the two.",
            (_, > 0, true) => "data: targets: the targets are either columns or the inputs.",
            _ => null,
        };
        wrong ??= spec.Split is not null && spec.Test is not null
            ? "data: split: `test` names a file of test rows; drop one of the two."
            : null;
        wrong ??= spec.SkipLines < 0 ? $"data: skip-lines: {spec.SkipLines} is below 0." : null;
        wrong ??= spec.Classes < 1 ? $"data: classes: {spec.Classes} is below 1." : null;
        if (wrong is not null)
        {
            throw new InvalidInputException(wrong);
        }
    }

    /// <summary>
    /// Turns target columns that are one-hot in every row of both parts into labels, so that accuracy can be told.
    /// </summary>
    private static RawPair NameOneHotClasses(RawData train, RawData? test, CsvColumns columns)
    {
        if (train.TargetWidth < 2 || OneHotLabels(train) is not int[] trainLabels)
        {
            return new RawPair(train, test);
        }

        string[] names = [.. columns.Targets.Select(column => columns.NameOf(column).Trim('\''))];
        if (test is null)
        {
            return new RawPair(train with { Labels = trainLabels, ClassNames = names, Targets = null }, null);
        }

        return OneHotLabels(test) is int[] testLabels
            ? new RawPair(
                train with { Labels = trainLabels, ClassNames = names, Targets = null },
                test with { Labels = testLabels, ClassNames = names, Targets = null })
            : new RawPair(train, test);
    }

    private static int[]? OneHotLabels(RawData data)
    {
        int[] labels = new int[data.Features.Rows];
        for (int row = 0; row < labels.Length; row++)
        {
            ReadOnlySpan<double> target = data.Targets.AsSpan(row * data.TargetWidth, data.TargetWidth);
            labels[row] = target.IndexOf(1.0);
            if (labels[row] < 0 || target.Count(0.0) != target.Length - 1)
            {
                return null;
            }
        }

        return labels;
    }
}
