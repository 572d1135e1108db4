using DistTrain.Engines.Shared;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Storage;

/// <summary>Where the log holds an update of a slice, and what it says of it; see <see cref="AppliedUpdate"/>.</summary>
internal sealed record LogEntry(
    int Slice, long Step, int Replica, long Update, double LearningRate, double GradientScale, int ChosenReplica, long[] Gradients, long[] Carried)
{
    /// <summary>A buffer that is not there.</summary>
    public const long None = -1;

    /// <summary>The epoch that it was made in; 0 where it was read back.</summary>
    public int Epoch { get; init; }

    /// <summary>The segment's file.</summary>
    public string File { get; init; } = "";

    /// <summary>Where its buffers begin in the file: first the contributions, then the carried state, without gaps.</summary>
    public long Position { get; init; }

    /// <summary>Bytes of its buffers.</summary>
    public long Bytes => Gradients.Concat(Carried).Where(length => length > 0).Sum();

    /// <summary>What the log says of an update.</summary>
    public static LogEntry Of(AppliedUpdate update, BufferPool pool) => new(
        update.Slice, update.Step, update.Replica, update.Update, update.LearningRate, update.GradientScale, update.ChosenReplica,
        Lengths(update.Gradients, pool), Lengths(update.Carried, pool));

    private static long[] Lengths(BufferHandle[] buffers, BufferPool pool) =>
        [.. buffers.Select(buffer => buffer.IsNone ? None : pool.Length(buffer))];
}
