using System.Collections.Concurrent;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Simulated;

/// <summary>Looks into a simulated run from other threads, and keeps the faults that they ask for until the run takes them between two events.</summary>
internal sealed class SimulatedControl(Topology topology, IReadOnlyList<SimulatedActor> actors, LinkCounters links) : IRunControl
{
    private readonly ConcurrentQueue<Fault> _asked = new();
    private volatile bool _isOver;

    /// <inheritdoc/>
    public IReadOnlyList<ActorStatus> Actors()
    {
        ActorStatus[] states = new ActorStatus[actors.Count];
        for (int index = 0; index < states.Length; index++)
        {
            SimulatedActor actor = actors[index];
            ActorMachine? machine = actor.Machine;
            states[index] = new ActorStatus(
                actor.Id,
                topology.NameOf(actor.Id),
                FormattableString.Invariant($"simulated node {actor.Node}"),
                machine?.Incarnation ?? 0,
                actor.Inbox.Count,
                machine is null ? 0 : machine.Stale + machine.Duplicates);
        }

        return states;
    }

    /// <inheritdoc/>
    public IReadOnlyList<LinkStatus> Links() => links.Links();

    /// <inheritdoc/>
    public string? Refuses(Fault fault) => FaultChecks.Problem(fault, topology, RefusesByHand);

    /// <inheritdoc/>
    public string? Begin(Fault fault)
    {
        if (Refuses(fault) is string refusal)
        {
            return refusal;
        }

        if (_isOver)
        {
            return "the run has ended";
        }

        _asked.Enqueue(fault);
        return null;
    }

    /// <summary>The next fault that was asked for; called by the run's thread.</summary>
    public bool TryTake(out Fault? fault)
    {
        fault = null;
        return !_asked.IsEmpty && _asked.TryDequeue(out fault);
    }

    /// <summary>The run has ended.</summary>
    public void End() => _isOver = true;

    private static string? RefusesByHand(Fault fault) => fault switch
    {
        CrashFault { DuringSnapshot: true } => "a crash within a snapshot is for scenario files; expected no 'during'",
        CrashFault or SuspicionFault or SlowFault or LinkFault => null,
        PauseFault => SimulationChecks.RefusesPause,
        _ => $"engine {SimulatedEngine.EngineName} serves '{fault.Name}' faults in scenario files alone; expected crash, suspect, slow or link",
    };
}
