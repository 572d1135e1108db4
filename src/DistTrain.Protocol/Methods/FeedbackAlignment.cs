using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>Feedback alignment: backpropagation through fixed random matrices in place of the transposed weights.</summary>
public sealed class FeedbackAlignment : Method
{
    public override string Name => "feedback-alignment";

    public override string Source => "Lillicrap, Cownden, Tweed, Akerman 2016";

    public override Locks Removes => Locks.None;

    public override bool Synchronous => true;

    public override bool HasSchedule => true;

    public override SettingsProblem? Refuses(RunSettings settings) => RefusesSchedule(settings) ?? RefusesTies(settings, Name);

    public override BackwardPath Path(RunSettings settings) =>
        settings.Method.Feedback == FeedbackKind.Transposed ? BackwardPath.TransposedWeights : BackwardPath.FixedMatrices;

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new ScheduledInstructions(
        ScheduleCatalog.Find(plan.Settings.Method.Schedule)!,
        SignalFlow.Chain,
        plan.Stages.Count,
        plan.Settings.Training.MicroBatches,
        stage,
        committedStep);
}
