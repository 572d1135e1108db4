using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>PipeDream: asynchronous 1F1B with weight stashing. The gradient is stale by the stage's depth in the
/// pipeline.</summary>
public sealed class PipeDream : Method
{
    public override string Name => "pipedream";

    public override string Source => "Narayanan et al. 2019";

    // A stage still waits for its own batch's signal; what it no longer waits for is the end of the step before.
    public override Locks Removes => Locks.None;

    public override bool Synchronous => false;

    public override SettingsProblem? Refuses(RunSettings settings)
    {
        if (settings.Training.MicroBatches != 1)
        {
            return new SettingsProblem(
                "training.micro-batches", "pipedream keeps its pipeline full with whole steps; expected micro-batches: 1");
        }

        if (settings.Replicas != 1 || settings.ParameterServer.Consistency != Consistency.Sync)
        {
            return new SettingsProblem(
                "replicas",
                "pipedream updates every stage after every step; expected replicas: 1 and parameter-server.consistency: sync, "
                + "or method backprop for several replicas");
        }

        return settings.Optimizer.ClipNorm is not null
            ? new SettingsProblem(
                "optimizer.clip-norm",
                "the norm of the whole model is not known when pipedream updates a stage; expected no clip-norm, or method backprop")
            : null;
    }

    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) =>
        new PipeDreamInstructions(plan.Stages.Count, stage, committedStep);

    public override int StepsUncommittedMax(RunSettings settings) => Math.Max(settings.StepsInFlight, settings.Stages.Count);

    public override int StepsAheadMax(RunSettings settings) => settings.Stages.Count;
}
