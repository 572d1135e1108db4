using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// Decoupled neural interfaces: each stage before the last predicts the gradient of its output, updates from that at once, and
/// fits the predictor to what the stage behind makes of its own.
/// </summary>
public sealed class SyntheticGradient : Method
{
    private const int DefaultDelaySteps = 1, DelayStepsMax = 16;
    private const double DefaultFitRate = 4;

    public override string Name => "synthetic-gradient";

    public override string Source => "Jaderberg et al. 2017; Czarnecki et al. 2017";

    public override Locks Removes => Locks.Update | Locks.Backward;

    public override bool Synchronous => true;

    public override SettingsProblem? Refuses(RunSettings settings)
    {
        if (settings.Method.DelaySteps is < 0 or > DelayStepsMax)
        {
            return new SettingsProblem("method.delay", $"{settings.Method.DelaySteps}; expected 0 to {DelayStepsMax} steps");
        }

        return RefusesTies(settings, Name) ?? RefusesAsynchronous(settings, Name) ?? RefusesMicroBatches(settings, Name)
            ?? Rules.RefusesBareStages(settings, Name) ?? MethodNumbers.Units("method.hidden", settings.Method.Hidden)
            ?? MethodNumbers.Positive("method.fit-rate", settings.Method.FitRate);
    }

    public override int StepsUncommittedMax(RunSettings settings) => Rules.StepsInPipeline(settings) + Delay(settings);

    public override int StepsAheadMax(RunSettings settings) => Rules.StepsInPipeline(settings) + Delay(settings);

    public override CarriedPlan Carries(RunSettings settings, int stage)
    {
        int delay = Delay(settings);
        return new CarriedPlan(
            Inputs: 0, Outputs: stage < settings.Stages.Count - 1 ? delay : 0, Stashes: 0, Signals: stage > 0 ? delay : 0, Weights: 0);
    }

    public override LocalRuleSpec? RuleOf(RunSettings settings, int stage) => stage == settings.Stages.Count - 1
        ? null
        : Rules.Of(settings, stage, LocalRuleKind.GradientPredictor) with
        {
            Conditioned = settings.Method.Conditioned,
            HiddenUnits = settings.Method.Hidden,
            FitRate = settings.Method.FitRate ?? DefaultFitRate,
        };

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new SyntheticInstructions(
        Delay(plan.Settings), plan.Settings.Method.Conditioned, plan.Stages.Count, stage, committedStep);

    private static int Delay(RunSettings settings) => settings.Method.DelaySteps ?? DefaultDelaySteps;
}
