namespace DistTrain.Engines.Storage;

/// <summary>Where the log holds an update of a slice, and what it says of it; see <see cref="Protocol.Effects.AppliedUpdate"/>.</summary>
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
}
