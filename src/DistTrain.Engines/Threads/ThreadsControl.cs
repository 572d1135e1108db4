using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Threads;

/// <summary>Looks into a run on threads and crashes its actors, until the run has ended.</summary>
internal sealed class ThreadsControl(Topology topology, IReadOnlyList<ActorCell> cells, ThreadsFaults faults) : IRunControl
{
    private readonly Lock _lock = new();
    private bool _isOver;

    /// <inheritdoc/>
    public IReadOnlyList<string> Faults { get; } = ["crash", "suspect"];

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
    public string? Begin(string fault, ActorId actor)
    {
        if (actor.Index < 0 || actor.Index >= cells.Count)
        {
            return $"there is no actor {actor.Index}";
        }

        Fault? asked = fault switch
        {
            "crash" => new CrashFault(actor, RestartAfter: TimeSpan.Zero),
            "suspect" => new SuspicionFault(actor),
            _ => null,
        };
        if (asked is null)
        {
            return $"engine {ThreadsEngine.EngineName} does not serve '{fault}' by hand; expected {string.Join(" or ", Faults)}";
        }

        if (ThreadsFaults.Refuses(asked) is string refusal)
        {
            return refusal;
        }

        lock (_lock)
        {
            if (_isOver)
            {
                return "the run has ended";
            }

            faults.Begin(asked);
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
