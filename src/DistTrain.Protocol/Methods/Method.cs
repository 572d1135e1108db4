using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>The locks of backpropagation (Jaderberg et al. 2017).</summary>
[Flags]
public enum Locks
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A layer waits for the activations of the layer before.</summary>
    Forward = 1,

    /// <summary>A layer is not updated before all later layers have run forward.</summary>
    Update = 2,

    /// <summary>A layer is not updated before all later layers have run backward.</summary>
    Backward = 4,
}

/// <summary>
/// How the learning signal reaches each layer: a policy that layer actors follow. It says which instructions a stage runs
/// and which locks that
/// removes; the actor itself knows no method by name.
/// </summary>
public abstract class Method
{
    private protected Method()
    {
    }

    /// <summary>The name in experiment files.</summary>
    public abstract string Name { get; }

    /// <summary>Where the rule comes from.</summary>
    public abstract string Source { get; }

    /// <summary>The locks that the method removes.</summary>
    public abstract Locks Removes { get; }

    /// <summary>
    /// Whether the update of a step is a function of the state before it and its batch alone, so that all engines and
    /// placements give the same bits.
    /// </summary>
    public abstract bool Synchronous { get; }

    /// <summary>Why the method cannot serve these settings: the key, the reason and what would work; null when it can.</summary>
    public abstract SettingsProblem? Refuses(RunSettings settings);

    /// <summary>The instructions of a stage from a committed step on.</summary>
    public abstract InstructionSource Instructions(RunPlan plan, int stage, long committedStep);

    /// <summary>Steps that one stage may have under way at once.</summary>
    public abstract int StepsAtOnce(RunPlan plan);
}
