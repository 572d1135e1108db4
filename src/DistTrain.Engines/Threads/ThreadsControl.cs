using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Threads;

/// <summary>Looks into a run on threads and disturbs it, until the run has ended.</summary>
internal sealed class ThreadsControl(Topology topology, IReadOnlyList<ActorCell> cells, ThreadsFaults faults, LinkCounters? links) : IRunControl
{
    private readonly Lock _lock = new();
    private bool _isOver;

    /// <inheritdoc/>
    public IReadOnlyList<ActorStatus> Actors()
    {
        ActorStatus[] actors = new ActorStatus[cells.Count];
        for (int index = 0; index < actors.Length; index++)
        {
            ActorCell cell = cells[index];
            ActorMachine? machine = cell.Machine;
            actors[index] = new ActorStatus(
                cell.Id,
                topology.NameOf(cell.Id),
                "this process",
                machine?.Incarnation ?? 0,
                cell.MailboxDepth,
                machine is null ? 0 : machine.Stale + machine.Duplicates);
        }

        return actors;
    }

    /// <inheritdoc/>
    public IReadOnlyList<LinkStatus> Links() => links?.Links() ?? [];

    /// <inheritdoc/>
    public string? Refuses(Fault fault) => FaultChecks.Problem(fault, topology, ThreadsFaults.Refuses);

    /// <inheritdoc/>
    public string? Begin(Fault fault)
    {
        if (Refuses(fault) is string refusal)
        {
            return refusal;
        }

        lock (_lock)
        {
            if (_isOver)
            {
                return "the run has ended";
            }

            faults.Begin(fault);
            return null;
        }
    }

    /// <summary>The run has ended: nothing can be brought about from now on.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isOver = true;
        }
    }
}
