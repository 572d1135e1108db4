using System.Numerics;
using DistTrain.Data;
using DistTrain.Numerics;

namespace DistTrain.Engines;

/// <summary>A run's training and test rows, loaded in its precision.</summary>
public sealed class RunData
{
    private readonly Lazy<object> _rows;

    private RunData(Lazy<object> rows, Precision precision, DataFacts facts, bool targetsAreClasses, IReadOnlyList<string>? classNames)
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
            new Lazy<object>(rows),
            typeof(T) == typeof(float) ? Precision.Float32 : Precision.Float64,
            DataFacts.Of(rows),
            rows.Train.TargetsAreClasses,
            rows.Train.ClassNames);

    /// <summary>Rows that are loaded when somebody first asks for them, of which the sizes are known.</summary>
    /// <param name="precision">The stored precision.</param>
    /// <param name="facts">What will be loaded.</param>
    /// <param name="load">Loads it; called at most once.</param>
    public static RunData Deferred(Precision precision, DataFacts facts, Func<RunData> load)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(load);
        return new RunData(new Lazy<object>(Load), precision, facts, facts.Classes is not null, null);

        object Load()
        {
            RunData loaded = load();
            return loaded.Facts == facts && loaded.Precision == precision
                ? loaded._rows.Value
                : throw new InvalidInputException($"data: there are {loaded.Facts} where there were {facts}; expected data that does not change during a run");
        }
    }

    /// <summary>Loads the rows now if they are not loaded yet.</summary>
    public void Load() => _ = _rows.Value;

    /// <summary>The rows, which are loaded now if they are not yet. Throws <see cref="InvalidCastException"/> for the other precision.</summary>
    public TrainTest<T> As<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => (TrainTest<T>)_rows.Value;
}
