using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
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

    /// <summary>Issued steps that may be uncommitted at once.</summary>
    public virtual int StepsUncommittedMax(RunSettings settings) => settings.StepsInFlight;

    /// <summary>How many steps a slice may be ahead of the last commit. Above 1 where stages need not keep step.</summary>
    public virtual int StepsAheadMax(RunSettings settings) => 1;

    /// <summary>What signals pass through on their way back through a layer.</summary>
    public virtual BackwardPath Path(RunSettings settings) => BackwardPath.Weights;

    /// <summary>Whether a stage's backward pass computes the gradient of its input. The first stage's never does.</summary>
    public virtual bool PassesSignal(int stage, int stages) => true;

    /// <summary>Whether the gradient of a weight is the product of a stage's inputs and deltas and of nothing else, so that these may travel in its place.</summary>
    public virtual bool HasFactoredGradients => false;

    /// <summary>Whether stages run their passes in the order of <c>method.schedule</c>; the other methods have an order of their own.</summary>
    public virtual bool HasSchedule => false;

    /// <summary>What a stage carries from step to step.</summary>
    public virtual CarriedPlan Carries(RunSettings settings, int stage) => default;

    /// <summary>What a stage learns besides its layers; null for nothing.</summary>
    public virtual LocalRuleSpec? RuleOf(RunSettings settings, int stage) => null;

    /// <summary>The schedule of the settings, or what is wrong with its name.</summary>
    private protected static SettingsProblem? RefusesSchedule(RunSettings settings) =>
        ScheduleCatalog.Find(settings.Method.Schedule) is null
            ? new SettingsProblem(
                "method.schedule",
                $"'{settings.Method.Schedule}' is no schedule; expected one of {string.Join(", ", ScheduleCatalog.Names)}")
            : null;

    /// <summary>Tied layers share one weight, which only an exact gradient serves.</summary>
    private protected static SettingsProblem? RefusesTies(RunSettings settings, string name)
    {
        for (int layer = 0; layer < settings.Network.Layers.Count; layer++)
        {
            if (settings.Network.Layers[layer] is DenseSpec { TiedTo: int to })
            {
                return new SettingsProblem(
                    $"network[{layer}]", $"tied to layer {to}, but {name} gives each weight a signal of its own; expected no tied layers, or method backprop");
            }
        }

        return null;
    }

    /// <summary>Methods whose stages run ahead of one another have no use for a server that does not wait.</summary>
    private protected static SettingsProblem? RefusesAsynchronous(RunSettings settings, string name) =>
        settings.ParameterServer.Consistency != Consistency.Sync
            ? new SettingsProblem(
                "parameter-server.consistency", $"{name} already lets stages run ahead; expected sync, or method backprop")
            : null;

    /// <summary>Where a stage may leave a step out there is nothing to compress, and no residual to go on with.</summary>
    private protected static SettingsProblem? RefusesCompression(RunSettings settings, string name) =>
        settings.ParameterServer.Compression != CompressionKind.None
            ? new SettingsProblem(
                "parameter-server.compression", $"{name} leaves out updates, which compressed gradients cannot; expected none, or method backprop")
            : null;

    /// <summary>Methods that carry batches from step to step carry whole ones.</summary>
    private protected static SettingsProblem? RefusesMicroBatches(RunSettings settings, string name) =>
        settings.Training.MicroBatches != 1
            ? new SettingsProblem(
                "training.micro-batches", $"{name} keeps its stages busy with whole steps; expected micro-batches: 1")
            : null;
}

/// <summary>What signals pass through on their way back.</summary>
public enum BackwardPath
{
    /// <summary>The transposed weights of the forward pass: the exact gradient.</summary>
    Weights,

    /// <summary>Fixed random matrices of the weights' shapes (Lillicrap et al. 2016).</summary>
    FixedMatrices,

    /// <summary>The weights where fixed matrices would stand: feedback alignment's own arithmetic, for comparison.</summary>
    TransposedWeights,

    /// <summary>No layer: each layer gets the output's error through a fixed random matrix of its own (Nøkland 2016).</summary>
    Direct,
}
