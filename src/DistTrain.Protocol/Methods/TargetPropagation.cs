using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// Difference target propagation: what comes back are targets, which each stage takes through a learned inverse of its layers;
/// it updates towards its own target.
/// </summary>
public sealed class TargetPropagation : Method
{
    private const double DefaultStepSize = 0.1, DefaultNoise = 0.1;

    public override string Name => "target-propagation";

    public override string Source => "Lee, Zhang, Fischer, Bengio 2015";

    public override Locks Removes => Locks.None;

    public override bool Synchronous => true;

    public override bool HasSchedule => true;

    public override SettingsProblem? Refuses(RunSettings settings) =>
        RefusesSchedule(settings) ?? RefusesTies(settings, Name)
        ?? MethodNumbers.Positive("method.step-size", settings.Method.StepSize)
        ?? MethodNumbers.NotNegative("method.noise", settings.Method.Noise);

    // The last stage's gradient of its input becomes the first target.
    public override bool PassesSignal(int stage, int stages) => stage == stages - 1;

    public override LocalRuleSpec? RuleOf(RunSettings settings, int stage) => Rules.Of(settings, stage, LocalRuleKind.DifferenceTarget) with
    {
        StepSize = settings.Method.StepSize ?? DefaultStepSize,
        Noise = settings.Method.Noise ?? DefaultNoise,
    };

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new ScheduledInstructions(
        ScheduleCatalog.Find(plan.Settings.Method.Schedule)!,
        SignalFlow.Targets,
        plan.Stages.Count,
        plan.Settings.Training.MicroBatches,
        stage,
        committedStep);
}
