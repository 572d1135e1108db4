using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>Which machine an actor is.</summary>
public static class Machines
{
    /// <summary>A run's coordinator: the first one, or the next after the one whose membership was kept.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="run">The run's identity.</param>
    /// <param name="from">Where it goes on from.</param>
    /// <param name="before">The newest membership that was kept; null for none.</param>
    /// <param name="incarnationBefore">The highest incarnation that the host knows to have lived; one may have died before it kept a membership.</param>
    public static Coordinator Coordinator(
        RunPlan plan, long run, CoordinatorProgress from, MembershipRecord? before, int incarnationBefore = 0) =>
        new(plan, Math.Max(before is { Incarnations: [int incarnation, ..] } ? incarnation : 0, incarnationBefore) + 1, run, from, before);

    /// <summary>The coordinator after one that was lost.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="run">The run's identity.</param>
    /// <param name="start">What the run began with.</param>
    /// <param name="kept">The newest progress that is kept outside the actors and not lost; null for none.</param>
    /// <param name="before">The newest membership that is kept and not lost; null for none.</param>
    /// <param name="incarnationBefore">The highest incarnation of a coordinator that ever lived.</param>
    public static Coordinator NextCoordinator(
        RunPlan plan, long run, CoordinatorProgress start, CoordinatorProgress? kept, MembershipRecord? before, int incarnationBefore)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Topology.Copies == 1)
        {
            return Coordinator(plan, run, kept ?? start, before, incarnationBefore);
        }

        int incarnation = Math.Max(before is { Incarnations: [int known, ..] } ? known : 0, incarnationBefore) + 1;
        return new Coordinator(plan, incarnation, run, start, kept, before);
    }

    /// <summary>A new life of a layer actor or shard.</summary>
    public static ActorMachine Start(RunPlan plan, ActorId actor, int incarnation, long run)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Topology.RoleOf(actor) == ActorRole.Shard)
        {
            return new ParameterShard(plan, actor, incarnation, run);
        }

        return plan.IsParticipant(actor) ? new LayerActor(plan, actor, incarnation, run) : new FrontActor(plan, actor, incarnation, run);
    }
}
