using System.Numerics;

namespace DistTrain.Data;

/// <summary>The sizes of a data set, for messages and plans.</summary>
/// <param name="Name">The source's name.</param>
/// <param name="TrainRows">Training rows.</param>
/// <param name="TestRows">Test rows, 0 for none.</param>
/// <param name="Inputs">Columns.</param>
/// <param name="Targets">Values of a target.</param>
/// <param name="Classes">Classes; null where targets are not classes.</param>
public sealed record DataFacts(string Name, int TrainRows, int TestRows, int Inputs, int Targets, int? Classes)
{
    /// <summary>The facts of loaded data.</summary>
    public static DataFacts Of<T>(TrainTest<T> data)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(data);
        DataSet<T> train = data.Train;
        return new DataFacts(
            train.Name, train.Rows, data.Test?.Rows ?? 0, train.Inputs, train.Targets,
            train.TargetsAreClasses ? train.Targets : null);
    }

    /// <summary>One line, for example <c>glyphs: 12,000 training and 2,000 test rows, 784 inputs, 10 classes</c>.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Name}: {TrainRows:N0} training and {TestRows:N0} test rows, {Inputs:N0} inputs, {Targets:N0} {TargetKind}");

    private string TargetKind => Classes is null ? "targets" : "classes";
}
