using System.Numerics;
using System.Runtime.InteropServices;
using DistTrain.Commands.Experiments;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Runs;

/// <summary>The rows of an experiment in its precision.</summary>
internal abstract class ExperimentData
{
    /// <summary>As engines take it.</summary>
    public abstract RunData Run { get; }

    /// <summary>The sizes, for people.</summary>
    public abstract DataFacts Facts { get; }

    /// <summary>What a run folder keeps of them.</summary>
    public abstract DataRecord Record { get; }

    /// <summary>
    /// Loads an experiment's data. Throws <see cref="InvalidInputException"/> that names file, line or setting.
    /// </summary>
    public static ExperimentData Load(Experiment experiment, CancellationToken cancel) =>
        Load(experiment, withFingerprint: false, cancel);

    /// <summary>As the other one does, and <see cref="Record"/> tells rows apart by their values where that is wanted.</summary>
    public static ExperimentData Load(Experiment experiment, bool withFingerprint, CancellationToken cancel)
    {
        // The reader made every path absolute.
        string folder = Path.GetPathRoot(Environment.CurrentDirectory) ?? "/";
        ulong seed = experiment.Settings.Seed;

        // Generated rows follow from the settings, which a resume compares: a hash would only make runs start later.
        bool hashes = withFingerprint && experiment.Data is not GeneratedSpec;
        return experiment.Settings.Precision == Precision.Float32
            ? new ExperimentData<float>(DataLoader.Load<float>(experiment.Data, folder, seed, hashes, cancel), RunData.From)
            : new ExperimentData<double>(DataLoader.Load<double>(experiment.Data, folder, seed, hashes, cancel), RunData.From);
    }

    /// <summary>What the test or training rows are called.</summary>
    public abstract string NameOf(bool testRows);

    /// <summary>Loss and accuracy of given weights.</summary>
    public abstract Evaluation Evaluate(NetworkSpec network, LossKind loss, IReadOnlyDictionary<string, byte[]> weights,
        bool testRows);

    /// <summary>Measures the health of a network's layers on some training rows.</summary>
    public abstract HealthProbe Health(NetworkSpec network, LossKind loss);

    /// <summary>The network's outputs for test or training rows, row by row.</summary>
    public abstract double[][] Outputs(NetworkSpec network, IReadOnlyDictionary<string, byte[]> weights, bool testRows);

    /// <summary>The network's outputs for rows from elsewhere, scaled already, row by row.</summary>
    public abstract double[][] Outputs(NetworkSpec network, IReadOnlyDictionary<string, byte[]> weights, PredictionInput input);
}

/// <summary>The rows of an experiment in one precision.</summary>
internal sealed class ExperimentData<T>(TrainTest<T> rows, Func<TrainTest<T>, RunData> convert) : ExperimentData
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override RunData Run { get; } = convert(rows);

    /// <inheritdoc/>
    public override string NameOf(bool testRows) => (testRows ? rows.Test! : rows.Train).Name;

    /// <inheritdoc/>
    public override DataFacts Facts { get; } = DataFacts.Of(rows);

    /// <inheritdoc/>
    public override DataRecord Record { get; } = new()
    {
        TrainRows = rows.Train.Rows,
        TestRows = rows.Test?.Rows ?? 0,
        Inputs = rows.Train.Inputs,
        InputNames = rows.InputNames,
        Targets = rows.Train.Targets,
        Classes = rows.Train.TargetsAreClasses ? rows.Train.ClassNames : null,
        TrainSha256 = rows.Fingerprint?.Train,
        TestSha256 = rows.Fingerprint?.Test,
    };

    /// <inheritdoc/>
    public override Evaluation Evaluate(NetworkSpec network, LossKind loss, IReadOnlyDictionary<string, byte[]> weights,
        bool testRows)
    {
        using ModelRunner<T> runner = new(network, loss, Values(weights));
        return runner.Evaluate(Part(testRows));
    }

    /// <inheritdoc/>
    public override double[][] Outputs(NetworkSpec network, IReadOnlyDictionary<string, byte[]> weights, bool testRows)
    {
        using ModelRunner<T> runner = new(network, null, Values(weights));
        return runner.Outputs(Part(testRows));
    }

    /// <inheritdoc/>
    public override double[][] Outputs(NetworkSpec network, IReadOnlyDictionary<string, byte[]> weights, PredictionInput input)
    {
        T[] values = [.. input.Values.Select(T.CreateChecked)];
        using ModelRunner<T> runner = new(network, null, Values(weights));
        return runner.Outputs(DataSet<T>.FromVectors("input", network.Inputs, values, width: 1, new T[input.Rows]));
    }

    /// <inheritdoc/>
    public override HealthProbe Health(NetworkSpec network, LossKind loss) => new HealthProbe<T>(network, loss, rows.Train);

    private static Func<string, ReadOnlySpan<T>> Values(IReadOnlyDictionary<string, byte[]> weights) =>
        name => MemoryMarshal.Cast<byte, T>(weights[name]);

    private DataSet<T> Part(bool testRows) => testRows
        ? rows.Test ?? throw new InvalidInputException("--data test: this run's data has no test rows; use --data train")
        : rows.Train;
}
