using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>Backpropagation: the exact gradient, on any synchronous schedule.</summary>
public sealed class Backprop : Method
{
    public override string Name => "backprop";

    public override string Source => "Rumelhart, Hinton, Williams 1985; schedules: Huang et al. 2019, Narayanan et al. 2021";

    public override Locks Removes => Locks.None;

    public override bool Synchronous => true;

    public override bool HasSchedule => true;

    public override bool HasFactoredGradients => true;

    public override SettingsProblem? Refuses(RunSettings settings) => RefusesSchedule(settings);

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) => new ScheduledInstructions(
        ScheduleCatalog.Find(plan.Settings.Method.Schedule)!,
        SignalFlow.Chain,
        plan.Stages.Count,
        plan.Settings.Training.MicroBatches,
        stage,
        committedStep,
        plan.Stages[stage].Parameters.Any(plan.IsCollected) ? plan : null);
}
