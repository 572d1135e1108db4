using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// Decoupled backpropagation: a stage of K applies the gradient of batch t − K + k, with the weights and activations of that
/// batch's own forward pass; with features replay, with today's weights on that batch's kept input.
/// </summary>
public sealed class DelayedGradient(bool replays) : Method
{
    public override string Name => replays ? "features-replay" : "delayed-gradient";

    public override string Source => replays ? "Huo, Gu, Huang 2018 (features replay)" : "Huo, Gu, Yang, Huang 2018 (DDG)";

    public override Locks Removes => Locks.Backward;

    public override bool Synchronous => true;

    public override SettingsProblem? Refuses(RunSettings settings)
    {
        if (settings.Method.DelaySteps is not (null or 0))
        {
            return new SettingsProblem(
                "method.delay", $"{settings.Method.DelaySteps}: expected 0 (no delay, which is backpropagation), or nothing for the pipeline's own");
        }

        return RefusesTies(settings, Name) ?? RefusesAsynchronous(settings, Name) ?? RefusesCompression(settings, Name)
            ?? RefusesMicroBatches(settings, Name) ?? Rules.RefusesBareStages(settings, Name);
    }

    public override int StepsUncommittedMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override int StepsAheadMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override CarriedPlan Carries(RunSettings settings, int stage)
    {
        int delay = Delay(settings, stage), signals = stage > 0 && settings.Method.DelaySteps is null ? 1 : 0;
        return replays
            ? new CarriedPlan(Inputs: delay, Outputs: 0, Stashes: 0, signals, Weights: 0)
            : new CarriedPlan(Inputs: delay, Outputs: delay, Stashes: delay, signals, Weights: delay);
    }

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) =>
        new DelayedInstructions(Delay(plan.Settings, stage), replays, plan.Stages.Count, stage, committedStep);

    private static int Delay(RunSettings settings, int stage) => settings.Method.DelaySteps ?? settings.Stages.Count - 1 - stage;
}
