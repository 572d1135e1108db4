namespace DistTrain.Engines.Checking;

/// <summary>Which contributions are in a slice's weights: of each replica those of all steps up to one.</summary>
/// <param name="Applied">The last step of each replica.</param>
internal sealed record Lineage(long[] Applied)
{
    /// <summary>The last step of the slowest replica.</summary>
    public long Slowest => Applied.Min();

    /// <summary>Initial weights.</summary>
    public static Lineage Initial(int replicas) => new(new long[replicas]);

    /// <summary>With a replica's contributions up to a step.</summary>
    public Lineage With(int replica, long step)
    {
        long[] applied = [.. Applied];
        applied[replica] = step;
        return new Lineage(applied);
    }
}
