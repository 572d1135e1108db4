namespace DistTrain.Protocol.Schedules;

/// <summary>Forward or backward.</summary>
public enum PassKind
{
    /// <summary>Activations go on.</summary>
    Forward,

    /// <summary>Gradients come back.</summary>
    Backward,
}

/// <summary>One pass of a stage over one micro-batch of a step.</summary>
public readonly record struct Pass(PassKind Kind, int MicroBatch)
{
    /// <inheritdoc/>
    public override string ToString() => $"{(Kind == PassKind.Forward ? 'F' : 'B')}{MicroBatch}";
}
