using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// Direct feedback alignment: the final-layer actor sends the error to every stage at once, which takes it through a fixed random
/// matrix for each of its layers.
/// </summary>
public sealed class DirectFeedbackAlignment : Method
{
    public override string Name => "direct-feedback-alignment";

    public override string Source => "Nøkland 2016; Baldi, Sadowski, Lu 2016";

    public override Locks Removes => Locks.Backward;

    public override bool Synchronous => true;

    public override bool HasSchedule => true;

    public override SettingsProblem? Refuses(RunSettings settings) => RefusesSchedule(settings) ?? RefusesTies(settings, Name);

    public override BackwardPath Path(RunSettings settings) => BackwardPath.Direct;

    public override bool PassesSignal(int stage, int stages) => false;

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new ScheduledInstructions(
        ScheduleCatalog.Find(plan.Settings.Method.Schedule)!,
        SignalFlow.Broadcast,
        plan.Stages.Count,
        plan.Settings.Training.MicroBatches,
        stage,
        committedStep);
}
