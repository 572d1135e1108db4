using DistTrain.Data.Sources;
using DistTrain.Numerics;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Data.Generated;

/// <summary>Checks the settings of generated data and makes its training and test rows.</summary>
internal static class GeneratedSource
{
    private const int MaxRows = 2_000_000;

    public static RawPair Make(GeneratedSpec spec, CancellationToken cancel)
    {
        RefuseWhatDoesNotApply(spec);
        bool glyphs = spec.Kind == GeneratedKind.Glyphs;
        int trainRows = InRange(spec, "train-rows", spec.TrainRows ?? (glyphs ? 12_000 : 2_000), 1, MaxRows);
        int testRows = InRange(spec, "test-rows", spec.TestRows ?? DefaultTestRows(spec), 0, MaxRows);
        if (spec.Noise is double noise && !(noise >= 0 && double.IsFinite(noise)))
        {
            throw new InvalidInputException(FormattableString.Invariant($"data: noise: {noise} is not a finite number of at least 0."));
        }

        if (spec.Kind == GeneratedKind.Xor)
        {
            return new RawPair(Planar.Xor(), spec.TestFraction is null ? Planar.Xor() : null);
        }

        RawData train = MakePart(spec, trainRows, 0, cancel);
        return new RawPair(train, testRows == 0 ? null : MakePart(spec, testRows, 1, cancel));
    }

    /// <summary>With a test fraction the rows asked for are divided, and there is no second part to make.</summary>
    private static int DefaultTestRows(GeneratedSpec spec) =>
        spec.TestFraction is not null ? 0 : spec.Kind == GeneratedKind.Glyphs ? 2_000 : 1_000;

    private static RawData MakePart(GeneratedSpec spec, int rows, int part, CancellationToken cancel)
    {
        switch (spec.Kind)
        {
            case GeneratedKind.Spirals:
                int arms = InRange(spec, "classes", spec.Classes ?? 2, 2, 20);
                return Planar.Spirals(Streams(spec, part), rows, arms, spec.Noise ?? 0.02);
            case GeneratedKind.Blobs:
                int inputs = InRange(spec, "inputs", spec.Inputs ?? 2, 2, 100_000);
                int classes = InRange(spec, "classes", spec.Classes ?? 3, 2, 1_000);
                if ((long)rows * inputs > Array.MaxLength)
                {
                    throw new InvalidInputException($"data: inputs: {rows} rows of {inputs} values are too many.");
                }

                return Planar.Blobs(Streams(spec, part), rows, inputs, classes, spec.Noise ?? 1);
            default:
                return Glyphs.Make(Streams(spec, part), rows, spec.Noise ?? 0.12, cancel);
        }
    }

    private static Func<int, RandomStream> Streams(GeneratedSpec spec, int part) =>
        row => new RandomStream(spec.DataSeed, RandomPurpose.GeneratedData, layer: (int)spec.Kind, step: part, sample: row);

    private static void RefuseWhatDoesNotApply(GeneratedSpec spec)
    {
        bool xor = spec.Kind == GeneratedKind.Xor;
        (string Key, bool Refused)[] settings =
        [
            ("train-rows", xor && spec.TrainRows is not null),
            ("test-rows", xor && spec.TestRows is not null),
            ("noise", xor && spec.Noise is not null),
            ("classes", spec.Kind is GeneratedKind.Xor or GeneratedKind.Glyphs && spec.Classes is not null),
            ("inputs", spec.Kind != GeneratedKind.Blobs && spec.Inputs is not null),
        ];
        foreach ((string key, bool refused) in settings)
        {
            if (refused)
            {
                throw new InvalidInputException($"data: {key}: the source {spec.Source} has no such setting.");
            }
        }
    }

    private static int InRange(GeneratedSpec spec, string key, int value, int low, int high) => value >= low && value <= high
        ? value
        : throw new InvalidInputException(
            $"data: {key}: {value} is not from {low} to {high}, as the source {spec.Source} needs.");
}
