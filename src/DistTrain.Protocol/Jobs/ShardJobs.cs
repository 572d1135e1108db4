using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Jobs;

/// <summary>What the jobs of a shard share.</summary>
public abstract class SliceJob : Job
{
    private protected SliceJob(int inputs, int outputs, int slice)
        : base(inputs, outputs) => Slice = slice;

    /// <summary>The slice.</summary>
    public int Slice { get; }
}

/// <summary>
/// Aggregates contributions and applies the optimizer, out of place. Inputs: [0] weights, [1] optimizer state or none, [2…]
/// one contribution
/// per replica in replica order (one alone in asynchronous modes). Outputs: [0] next weights, [1] next optimizer state.
/// </summary>
public sealed class ApplyJob(int slice, int contributions) : SliceJob(2 + contributions, 2, slice)
{
    /// <summary>Number of this update of the slice, from 1: Adam's t.</summary>
    public long Update { get; internal set; }

    /// <summary>The step whose contributions these are; robust aggregation weighs replicas by their rows in it.</summary>
    public long Step { get; internal set; }

    /// <summary>η.</summary>
    public double LearningRate { get; internal set; }

    /// <summary>The coordinator's decision: factor of the gradient (clipping).</summary>
    public double GradientScale { get; internal set; } = 1;

    /// <summary>The coordinator's decision: the one replica to take (Krum), or −1.</summary>
    public int ChosenReplica { get; internal set; } = -1;

    /// <summary>Result: first layer whose next weights are not all finite, or −1.</summary>
    public int NonFiniteLayer { get; set; } = -1;
}

/// <summary>
/// Per-tensor partials of a decision on the whole model. Inputs: one contribution per replica. Outputs: [0] float64 values:
/// per tensor the
/// squared norm of the aggregated gradient, or for Krum the replicas × replicas squared distances.
/// </summary>
public sealed class PartialsJob(int slice, int contributions) : SliceJob(contributions, 1, slice)
{
    /// <summary>The step whose contributions these are.</summary>
    public long Step { get; internal set; }
}

/// <summary>Adds partials in layer order and decides. Inputs: the partials of every slice, in slice order.</summary>
public sealed class DecideJob(int slices) : Job(slices, 0)
{
    /// <summary>The step.</summary>
    public long Step { get; internal set; }

    /// <summary>Result: factor of the gradient.</summary>
    public double GradientScale { get; set; } = 1;

    /// <summary>Result: the chosen replica, or −1.</summary>
    public int ChosenReplica { get; set; } = -1;
}

/// <summary>
/// Brings a slice to a committed step: from the seed or the given file for step 0, from a snapshot otherwise. Outputs: [0]
/// weights,
/// [1] optimizer state or none, then carried state replica by replica, then older versions of the weights, newest first, each
/// or none.
/// </summary>
public sealed class RestoreJob(SlicePlan slice, int replicas)
    : SliceJob(0, 2 + (replicas * slice.CarriedCount) + slice.OlderVersions, slice.Index)
{
    /// <summary>The committed step.</summary>
    public long Step { get; init; }

    /// <summary>Result: updates applied so far.</summary>
    public long Updates { get; set; }

    /// <summary>Result: last step applied of each replica; may run ahead of <see cref="Step"/> in asynchronous modes.</summary>
    public long[] AppliedSteps { get; } = new long[replicas];
}

/// <summary>Keeps a slice's state of a committed step outside the actors. Inputs: as the outputs of
/// <see cref="RestoreJob"/>.</summary>
public sealed class SnapshotJob(SlicePlan slice, int replicas)
    : SliceJob(2 + (replicas * slice.CarriedCount) + slice.OlderVersions, 0, slice.Index)
{
    /// <summary>The committed step.</summary>
    public long Step { get; init; }

    /// <summary>Which copy of its shard keeps it.</summary>
    public int Copy { get; init; }

    /// <summary>Whether that is the primary: where all copies keep on the same disk, one is enough.</summary>
    public bool Primary { get; init; } = true;

    /// <summary>Updates applied so far.</summary>
    public long Updates { get; init; }

    /// <summary>Last step applied of each replica.</summary>
    public long[] AppliedSteps { get; } = new long[replicas];
}
