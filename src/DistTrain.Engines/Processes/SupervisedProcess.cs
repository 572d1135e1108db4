using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Processes;

/// <summary>A place of the placement and the process that fills it now. One thread.</summary>
internal sealed class SupervisedProcess(int number, string name, IReadOnlyList<ActorId> actors)
{
    private readonly Queue<Command> _waiting = new();

    /// <summary>Its number in the placement.</summary>
    public int Number { get; } = number;

    /// <summary>For people.</summary>
    public string Name { get; } = name;

    /// <summary>Its actors.</summary>
    public IReadOnlyList<ActorId> Actors { get; } = actors;

    /// <summary>When it is started again after its end.</summary>
    public RestartPolicy Restarts { get; } = new();

    /// <summary>The process; null between an end and the restart.</summary>
    public ChildProcess? Child { get; private set; }

    /// <summary>When a restart is due, as time since the run's start; null for a process that lives.</summary>
    public TimeSpan? RestartAt { get; set; }

    /// <summary>Until when nothing can be started in this place, as time since the run's start.</summary>
    public TimeSpan DownUntil { get; set; }

    /// <summary>Until when it may be silent.</summary>
    public TimeSpan SilentUntil { get; set; }

    /// <summary>Whether it has been silent for too long once already: the parent itself may have been stopped, and its threads may not have
    /// read what is there.</summary>
    public bool IsDoubted { get; set; }

    /// <summary>A process fills the place; what waited for it is sent.</summary>
    public void OnStarted(ChildProcess child)
    {
        (Child, RestartAt) = (child, null);
        while (_waiting.TryDequeue(out Command command))
        {
            child.Send(command);
        }
    }

    /// <summary>The process has ended.</summary>
    public void OnEnded() => Child = null;

    /// <summary>Sends a command to the process, or to the next one.</summary>
    public void Send(Command command)
    {
        if (Child is null)
        {
            _waiting.Enqueue(command);
        }
        else
        {
            Child.Send(command);
        }
    }
}
