using System.Numerics;
using DistTrain.Data.Features;
using DistTrain.Data.Generated;
using DistTrain.Data.Sources;
using DistTrain.Numerics;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Data;

/// <summary>Reads or generates what a <see cref="DataSpec"/> describes.</summary>
public static class DataLoader
{
    /// <summary>
    /// Loads, splits and scales. Throws <see cref="InvalidInputException"/> that names file, line or setting when something is
    /// wrong; NaN and infinity are refused from every source.
    /// </summary>
    /// <param name="spec">What to load.</param>
    /// <param name="baseFolder">The folder that relative paths start from: the experiment file's.</param>
    /// <param name="seed">The run's seed; it decides <see cref="DataSpec.TestFraction"/>'s draw and nothing else.</param>
    /// <param name="cancel">Ends the load early.</param>
    public static TrainTest<T> Load<T>(DataSpec spec, string baseFolder, ulong seed, CancellationToken cancel = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Load<T>(spec, baseFolder, seed, withFingerprint: false, cancel);

    /// <summary>As the other one does, and with <see cref="TrainTest{T}.Fingerprint"/> where that is wanted.</summary>
    public static TrainTest<T> Load<T>(DataSpec spec, string baseFolder, ulong seed, bool withFingerprint, CancellationToken cancel = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(baseFolder);
        RawPair raw = Read(spec, baseFolder, seed, cancel);
        DataFingerprint? fingerprint = withFingerprint ? new DataFingerprint(raw.Train.Sha256(), raw.Test?.Sha256()) : null;
        return Scale<T>(raw, spec) with { InputNames = raw.Train.InputNames, Fingerprint = fingerprint };
    }

    /// <summary>
    /// Rows of one source, scaled as the data of a run is: means and deviations are those of the run's training rows. Throws <see cref="InvalidInputException"/> as
    /// <see cref="Load{T}(DataSpec, string, ulong, CancellationToken)"/> does.
    /// </summary>
    /// <param name="rows">The rows, as wide as the run's; its own scaling is without effect.</param>
    /// <param name="rowsFolder">The folder that its relative paths start from.</param>
    /// <param name="run">The run's data, which is read again only where it is standardized.</param>
    /// <param name="runFolder">The folder that the run's relative paths start from.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="cancel">Ends the load early.</param>
    public static DataSet<T> LoadLike<T>(DataSpec rows, string rowsFolder, DataSpec run, string runFolder, ulong seed, CancellationToken cancel = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(run);
        RawData read = Read(rows, rowsFolder, seed, cancel).Train;
        if (run.Scaling.Standardize == Standardization.None)
        {
            (FittedScaling plain, RawFeatures scaled) = FittedScaling.Fit(run.Scaling, read.Features, read.Name);
            return Assemble<T>(read, plain, scaled, rows);
        }

        RawData train = Read(run, runFolder, seed, cancel).Train;
        (FittedScaling fitted, _) = FittedScaling.Fit(run.Scaling, train.Features, train.Name);
        return Assemble<T>(read, fitted, fitted.Map(read.Features, read.Name), rows);
    }

    private static RawPair Read(DataSpec spec, string baseFolder, ulong seed, CancellationToken cancel)
    {
        spec.Scaling.Validate();
        RawPair raw = spec switch
        {
            IdxSpec idx => IdxSource.Read(idx, baseFolder, cancel),
            CsvSpec csv => CsvSource.Read(csv, baseFolder, cancel),
            LibSvmSpec libSvm => LibSvmSource.Read(libSvm, baseFolder, cancel),
            GeneratedSpec generated => GeneratedSource.Make(generated, cancel),
            _ => throw new InvalidOperationException($"{spec.GetType()} is no known source."),
        };
        return SplitByFraction(raw, spec.TestFraction, seed);
    }

    private static RawPair SplitByFraction(RawPair raw, double? testFraction, ulong seed)
    {
        if (testFraction is not double fraction)
        {
            return raw;
        }

        if (raw.Test is not null)
        {
            throw new InvalidInputException("data: test-fraction: the data has test rows of its own; drop one of the two.");
        }

        int rows = raw.Train.Features.Rows;
        int testRows = fraction is > 0 and < 1 ? (int)Math.Round(fraction * rows) : 0;
        if (testRows < 1 || testRows >= rows)
        {
            throw new InvalidInputException(
                FormattableString.Invariant($"data: test-fraction: {fraction} of {rows} rows does not leave at least one test and one training row."));
        }

        // A partial Fisher-Yates shuffle: the first testRows places hold the drawn rows.
        int[] order = [.. Enumerable.Range(0, rows)];
        RandomStream stream = new(seed, RandomPurpose.Split);
        for (int i = 0; i < testRows; i++)
        {
            int other = i + stream.Below(i, rows - i);
            (order[i], order[other]) = (order[other], order[i]);
        }

        int[] test = order[..testRows], train = order[testRows..];
        Array.Sort(test);
        Array.Sort(train);
        return new RawPair(raw.Train.Select(train), raw.Train.Select(test));
    }

    private static TrainTest<T> Scale<T>(RawPair raw, DataSpec spec)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (FittedScaling fitted, RawFeatures train) = FittedScaling.Fit(spec.Scaling, raw.Train.Features, raw.Train.Name);
        RawFeatures? test = raw.Test is null ? null : fitted.Map(raw.Test.Features, raw.Test.Name);
        return new TrainTest<T>(
            Assemble<T>(raw.Train, fitted, train, spec),
            raw.Test is null || test is null ? null : Assemble<T>(raw.Test, fitted, test, spec));
    }

    private static DataSet<T> Assemble<T>(RawData raw, FittedScaling fitted, RawFeatures mapped, DataSpec spec)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int? width = spec.TargetsAreInputs ? null : raw.Targets is null ? raw.ClassNames?.Count : raw.TargetWidth;
        if (width is null && !spec.TargetsAreInputs)
        {
            throw new InvalidInputException($"{raw.Name}: there are no labels or targets; name them, or set `targets: inputs`.");
        }

        T[]? vectors = spec.TargetsAreInputs || raw.Targets is null ? null : [.. raw.Targets.Select(T.CreateTruncating)];
        TargetStore<T> targets = new(width, raw.Labels, raw.ClassNames, vectors);
        return new DataSet<T>(raw.Name, fitted.Finish<T>(mapped, raw.Name), targets);
    }
}
