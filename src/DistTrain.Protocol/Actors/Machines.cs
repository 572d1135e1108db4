using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>Which machine an actor is.</summary>
public static class Machines
{
    /// <summary>A run's coordinator: the first one, or the next after the one whose membership was kept.</summary>
    public static Coordinator Coordinator(RunPlan plan, long run, CoordinatorProgress from, MembershipRecord? before) =>
        new(plan, before is { Incarnations: [int incarnation, ..] } ? incarnation + 1 : 1, run, from, before);

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
