using System.Numerics;
using DistTrain.Data;
using DistTrain.Numerics;

namespace DistTrain.Engines;

/// <summary>A run's training and test rows, loaded in its precision.</summary>
public sealed class RunData
{
    private readonly object _rows;

    private RunData(object rows, Precision precision, DataFacts facts, bool targetsAreClasses, IReadOnlyList<string>? classNames)
    {
        _rows = rows;
        Precision = precision;
        Facts = facts;
        TargetsAreClasses = targetsAreClasses;
        ClassNames = classNames;
    }

    /// <summary>The stored precision.</summary>
    public Precision Precision { get; }

    /// <summary>Shape, for people.</summary>
    public DataFacts Facts { get; }

    /// <summary>Training rows.</summary>
    public int TrainRows => Facts.TrainRows;

    /// <summary>Test rows; 0 for none.</summary>
    public int TestRows => Facts.TestRows;

    /// <summary>Features of a row.</summary>
    public int Inputs => Facts.Inputs;

    /// <summary>Targets of a row.</summary>
    public int Targets => Facts.Targets;

    /// <summary>Whether targets are classes, one-hot; accuracy means something only then.</summary>
    public bool TargetsAreClasses { get; }

    /// <summary>Names of the classes, where the data has them.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <summary>Wraps loaded rows. T is float or double.</summary>
    public static RunData From<T>(TrainTest<T> rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        new(
            rows,
            typeof(T) == typeof(float) ? Precision.Float32 : Precision.Float64,
            DataFacts.Of(rows),
            rows.Train.TargetsAreClasses,
            rows.Train.ClassNames);

    /// <summary>The rows. Throws <see cref="InvalidCastException"/> for the other precision.</summary>
    public TrainTest<T> As<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => (TrainTest<T>)_rows;
}
