using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>Each stage before the last has a loss of its own on its output, and nothing comes back to it.</summary>
public sealed class LocalLoss : Method
{
    public override string Name => "local-loss";

    public override string Source => "Nøkland, Eidnes 2019; Mostafa, Ramesh, Cauwenberghs 2018";

    public override Locks Removes => Locks.Update | Locks.Backward;

    public override bool Synchronous => true;

    public override SettingsProblem? Refuses(RunSettings settings) =>
        RefusesTies(settings, Name) ?? RefusesAsynchronous(settings, Name)
        ?? MethodNumbers.Share("method.beta", settings.Method.Beta);

    public override int StepsUncommittedMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override int StepsAheadMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override bool PassesSignal(int stage, int stages) => false;

    public override LocalRuleSpec? RuleOf(RunSettings settings, int stage) => stage == settings.Stages.Count - 1
        ? null
        : Rules.Of(settings, stage, settings.Method.LocalLoss) is LocalRuleSpec rule && settings.Method.Beta is double beta
            ? rule with { Beta = beta }
            : Rules.Of(settings, stage, settings.Method.LocalLoss);

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new LocalInstructions(
        _ => LocalStep.Train,
        comparesInput: false,
        _ => plan.Stages.Count - 1,
        plan.Stages.Count,
        plan.Settings.Training.MicroBatches,
        stage,
        committedStep);
}
