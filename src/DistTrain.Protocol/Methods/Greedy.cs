using DistTrain.Numerics;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// Greedy layer-wise training: one stage after the other, each with a classifier of its own for an even part of the epochs,
/// on the activations of the stages before, which stay as they are. The last stage trains last, by the network's loss.
/// </summary>
public sealed class Greedy : Method
{
    public override string Name => "greedy";

    public override string Source => "Belilovsky, Eickenberg, Oyallon 2019";

    public override Locks Removes => Locks.Update | Locks.Backward;

    public override bool Synchronous => true;

    public override SettingsProblem? Refuses(RunSettings settings) =>
        RefusesTies(settings, Name) ?? RefusesAsynchronous(settings, Name) ?? RefusesCompression(settings, Name) ?? RefusesWatching(settings)
        ?? (settings.Training.Epochs >= settings.Stages.Count
            ? null
            : new SettingsProblem(
                "training.epochs",
                $"{settings.Training.Epochs}: greedy trains {settings.Stages.Count} stages one after the other; expected at least {settings.Stages.Count}"));

    public override int StepsUncommittedMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override int StepsAheadMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override bool PassesSignal(int stage, int stages) => false;

    public override LocalRuleSpec? RuleOf(RunSettings settings, int stage) =>
        stage == settings.Stages.Count - 1 ? null : Rules.Of(settings, stage, LocalRuleKind.Prediction);

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new LocalInstructions(
        step => RoleOf(stage, TrainedStage(plan, step)),
        comparesInput: false,
        step => TrainedStage(plan, step),
        plan.Stages.Count,
        plan.Settings.Training.MicroBatches,
        stage,
        committedStep);

    /// <summary>The stage that trains in a step: epochs are split evenly, in stage order.</summary>
    public static int TrainedStage(RunPlan plan, long step)
    {
        int stages = plan.Stages.Count, epoch = plan.EpochOf(step) - 1;
        int stage = 0;
        while (stage < stages - 1 && epoch >= EvenSplit.Part(plan.Settings.Training.Epochs, stages, stage + 1).Start)
        {
            stage++;
        }

        return stage;
    }

    private static LocalStep RoleOf(int stage, int trained) =>
        stage < trained ? LocalStep.Forward : stage == trained ? LocalStep.TrainAlone : LocalStep.Idle;

    /// <summary>Every stage has a loss of its own in epochs of its own, and until the last one has trained the network's says nothing of any.</summary>
    private static SettingsProblem? RefusesWatching(RunSettings settings) => settings switch
    {
        { Training.EarlyStoppingPatience: not null } => new SettingsProblem(
            "training.early-stopping", "greedy trains one stage after the other, and a stage that stops improving would leave those behind it untrained; expected none"),
        { Optimizer.Schedule: LearningRateSchedule.ReduceOnPlateau } => new SettingsProblem(
            "optimizer.schedule",
            "'reduce-on-plateau': greedy trains one stage after the other, and a plateau of one would reduce the rate of those behind it; expected constant, step or cosine"),
        _ => null,
    };
}
