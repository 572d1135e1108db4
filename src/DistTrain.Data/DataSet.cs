using System.Numerics;
using DistTrain.Data.Features;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Data;

/// <summary>
/// Rows of inputs with their targets, scaled and immutable. Copies allocate nothing and may run on any number of threads.
/// </summary>
public sealed class DataSet<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly FeatureStore<T> _features;
    private readonly TargetStore<T> _targets;

    internal DataSet(string name, FeatureStore<T> features, TargetStore<T> targets)
    {
        Name = name;
        _features = features;
        _targets = targets;
    }

    /// <summary>Where the rows come from: the source and the file's name.</summary>
    public string Name { get; }

    /// <summary>Number of rows.</summary>
    public int Rows => _features.Rows;

    /// <summary>Values of one row's input.</summary>
    public int Inputs => _features.Columns;

    /// <summary>Values of one row's target: the number of classes, of target columns, or of inputs.</summary>
    public int Targets => _targets.Width ?? Inputs;

    /// <summary>Whether a target is the one-hot vector of a class.</summary>
    public bool TargetsAreClasses => _targets.Width is not null && _targets.Vectors is null;

    /// <summary>Whether <see cref="LabelOf"/> answers; can be true where targets are the inputs.</summary>
    public bool HasLabels => _targets.Labels is not null;

    /// <summary>The classes' names by label; null where there are no labels.</summary>
    public IReadOnlyList<string>? ClassNames => _targets.ClassNames;

    /// <summary>A data set of given rows of classes. The arrays are not copied and must not change any more.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="inputs">Values of one row.</param>
    /// <param name="values">Rows × inputs, row by row.</param>
    /// <param name="labels">One per row, in 0 … classes−1.</param>
    /// <param name="classes">Number of classes.</param>
    public static DataSet<T> FromLabels(string name, int inputs, T[] values, int[] labels, int classes)
    {
        ArgumentNullException.ThrowIfNull(labels);
        foreach (int label in labels)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)label, (uint)classes, nameof(labels));
        }

        string[] names = [.. Enumerable.Range(0, classes).Select(label => $"{label}")];
        return new DataSet<T>(name, Dense(inputs, values, labels.Length), new TargetStore<T>(classes, labels, names, null));
    }

    /// <summary>A data set of given rows with target vectors. The arrays are not copied and must not change any more.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="inputs">Values of one row.</param>
    /// <param name="values">Rows × inputs, row by row.</param>
    /// <param name="width">Values of one target.</param>
    /// <param name="vectors">Rows × width, row by row.</param>
    public static DataSet<T> FromVectors(string name, int inputs, T[] values, int width, T[] vectors)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        int rows = vectors.Length / width;
        ArgumentOutOfRangeException.ThrowIfNotEqual(vectors.Length, rows * width, nameof(vectors));
        return new DataSet<T>(name, Dense(inputs, values, rows), new TargetStore<T>(width, null, null, vectors));
    }

    /// <summary>
    /// Writes the inputs of <paramref name="rows"/> to <paramref name="destination"/>, one row after the other.
    /// </summary>
    /// <param name="rows">Row numbers, in any order, repeats allowed.</param>
    /// <param name="destination">rows × Inputs values.</param>
    /// <param name="streams">Whether several cores will read them; see <see cref="RowGather"/>.</param>
    public void CopyInputs(ReadOnlySpan<int> rows, Span<T> destination, bool streams = false)
    {
        RequireLength(rows.Length, Inputs, destination.Length);
        _features.CopyRows(rows, destination, streams);
    }

    /// <summary>The inputs of all rows, one row after the other, where they are stored so; empty where they are not and
    /// <see cref="CopyInputs"/> makes them.</summary>
    public ReadOnlyMemory<T> InputMatrix => _features.Matrix;

    /// <summary>Writes the targets of <paramref name="rows"/>: one-hot vectors, target vectors, or the inputs.</summary>
    /// <param name="rows">Row numbers, in any order, repeats allowed.</param>
    /// <param name="destination">rows × Targets values.</param>
    public void CopyTargets(ReadOnlySpan<int> rows, Span<T> destination)
    {
        if (_targets.Width is not int width)
        {
            CopyInputs(rows, destination);
            return;
        }

        RequireLength(rows.Length, width, destination.Length);
        if (_targets.Vectors is T[] vectors)
        {
            RowGather.Copy(vectors, width, rows, destination);
            return;
        }

        for (int i = 0; i < rows.Length; i++)
        {
            _targets.CopyOneHot(rows[i], destination.Slice(i * width, width));
        }
    }

    /// <summary>The class of a row, from 0. Throws <see cref="InvalidOperationException"/> without labels.</summary>
    public int LabelOf(int row) =>
        (_targets.Labels ?? throw new InvalidOperationException($"The data set {Name} has no labels."))[row];

    private static DenseFeatures<T> Dense(int inputs, T[] values, int rows)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, rows * inputs, nameof(values));
        return new DenseFeatures<T>(values, rows, inputs);
    }

    private static void RequireLength(int rows, int width, int length)
    {
        if (length != (long)rows * width)
        {
            throw new ArgumentException($"{rows} rows of {width} values need {(long)rows * width}, not {length}.");
        }
    }
}
