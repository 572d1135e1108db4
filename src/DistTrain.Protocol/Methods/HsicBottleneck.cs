using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// HSIC bottleneck: each stage before the last keeps what its output shares with the targets and drops what it shares with the
/// inputs; the last stage is a readout, trained beside by the network's own loss.
/// </summary>
public sealed class HsicBottleneck : Method
{
    private const double DefaultBeta = 500, DefaultSigma = 5, DefaultEpsilon = 1e-5;

    public override string Name => "hsic-bottleneck";

    public override string Source => "Ma, Lewis, Kleijn 2019";

    public override Locks Removes => Locks.Update | Locks.Backward;

    public override bool Synchronous => true;

    public override SettingsProblem? Refuses(RunSettings settings) =>
        RefusesTies(settings, Name) ?? RefusesAsynchronous(settings, Name)
        ?? MethodNumbers.NotNegative("method.beta", settings.Method.Beta)
        ?? MethodNumbers.Positive("method.sigma", settings.Method.Sigma)
        ?? MethodNumbers.Positive("method.epsilon", settings.Method.Epsilon);

    public override int StepsUncommittedMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override int StepsAheadMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override bool PassesSignal(int stage, int stages) => false;

    public override LocalRuleSpec? RuleOf(RunSettings settings, int stage) => stage == settings.Stages.Count - 1
        ? null
        : Rules.Of(settings, stage, LocalRuleKind.HsicBottleneck) with
        {
            Beta = settings.Method.Beta ?? DefaultBeta,
            Sigma = settings.Method.Sigma ?? DefaultSigma,
            Epsilon = settings.Method.Epsilon ?? DefaultEpsilon,
        };

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new LocalInstructions(
        _ => LocalStep.Train,
        comparesInput: true,
        _ => plan.Stages.Count - 1,
        plan.Stages.Count,
        plan.Settings.Training.MicroBatches,
        stage,
        committedStep);
}
