using System.Numerics;

namespace DistTrain.Data;

/// <summary>Training rows and, where there are any, test rows, of the same inputs and targets.</summary>
public sealed record TrainTest<T>(DataSet<T> Train, DataSet<T>? Test)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The inputs' names, where the source names them.</summary>
    public IReadOnlyList<string>? InputNames { get; init; }

    /// <summary>What the rows were; null unless asked for.</summary>
    public DataFingerprint? Fingerprint { get; init; }
}
