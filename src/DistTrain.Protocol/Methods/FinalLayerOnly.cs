using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>Hidden layers stay as they were drawn; the final layer alone trains. The floor of every study.</summary>
public sealed class FinalLayerOnly : Method
{
    public override string Name => "final-layer-only";

    public override string Source => "Jaderberg et al. 2017, 'No Bprop'";

    public override Locks Removes => Locks.Update | Locks.Backward;

    public override bool Synchronous => true;

    public override SettingsProblem? Refuses(RunSettings settings) =>
        RefusesTies(settings, Name) ?? RefusesAsynchronous(settings, Name) ?? RefusesCompression(settings, Name)
        ?? (settings.Stages[^1] == 1
            ? null
            : new SettingsProblem("stages", $"the last one has {settings.Stages[^1]} layers; expected 1, the layer that trains"));

    public override int StepsUncommittedMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override int StepsAheadMax(RunSettings settings) => Rules.StepsInPipeline(settings);

    public override bool PassesSignal(int stage, int stages) => false;

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep)
    {
        LocalStep role = plan.IsLastStage(stage) ? LocalStep.Train : LocalStep.Forward;
        return new LocalInstructions(
            _ => role,
            comparesInput: false,
            _ => plan.Stages.Count - 1,
            plan.Stages.Count,
            plan.Settings.Training.MicroBatches,
            stage,
            committedStep);
    }
}
