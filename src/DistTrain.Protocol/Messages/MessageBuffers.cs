using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>Which buffers a message lends: the host counts one reference on each per queued delivery, the sender one while
/// it may retry.</summary>
public static class MessageBuffers
{
    /// <summary>The first buffer, or none.</summary>
    public static BufferHandle First(Message message) => message switch
    {
        Activation activation => activation.Buffer,
        Signal signal => signal.Buffer,
        Contribution contribution => contribution.Gradient,
        Weights weights => weights.Buffer,
        Partials partials => partials.Values,
        Carry carry => carry.Buffer,
        Carried carried => carried.Buffer,
        EvaluationActivation activation => activation.Buffer,
        ContributedTile tile => tile.Outputs,
        Coefficients coefficients => coefficients.Values,
        ExpandedShare share => share.Weights,
        SliceCopy copy => copy.First,
        _ => BufferHandle.None,
    };

    /// <summary>The second buffer, or none.</summary>
    public static BufferHandle Second(Message message) => message switch
    {
        Contribution contribution => contribution.Carried,
        Weights weights => weights.Carried,
        ContributedTile tile => tile.Coordinates,
        Coefficients coefficients => coefficients.Velocity,
        ExpandedShare share => share.Velocity,
        SliceCopy copy => copy.Second,
        _ => BufferHandle.None,
    };
}
