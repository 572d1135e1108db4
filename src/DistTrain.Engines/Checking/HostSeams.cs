using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Checking;

/// <summary>
/// Where a test may stand between a simulated host and its machines: to listen, and to put a defect there that a checker has to find. Everything is left out in
/// a run that nobody tests.
/// </summary>
internal sealed record HostSeams
{
    /// <summary>A machine's step, to be done by <paramref name="machine"/>.</summary>
    public delegate void StepDouble(ActorMachine machine, in Stimulus stimulus, EffectList effects);

    /// <summary>Hears what happens; null for nobody.</summary>
    public IHostTap? Tap { get; init; }

    /// <summary>Stands around every step of a machine; null for the step itself.</summary>
    public StepDouble? Step { get; init; }

    /// <summary>Stands around the arithmetic of every job, given as the second argument; null for the arithmetic itself.</summary>
    public Action<Job, Action<Job>>? Compute { get; init; }

    /// <summary>Virtual time by which the run must have ended; null for no limit.</summary>
    public TimeSpan? EndsBy { get; init; }

    /// <summary><see cref="EndsBy"/> on the simulator's clock.</summary>
    public long EndsByNanoseconds => EndsBy is TimeSpan limit ? limit.Ticks * TimeSpan.NanosecondsPerTick : long.MaxValue;

    /// <summary>Whether a record that is reported as kept is really there after its actor's death; null for always.</summary>
    public Predicate<PersistRecord>? Keeps { get; init; }
}
