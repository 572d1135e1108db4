using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Simulated;

/// <summary>An actor's place in a simulated run: its machine, what its persists hold back, its timers, and how far it has come in its work.</summary>
internal sealed class SimulatedActor(ActorId id, int node)
{
    private readonly Queue<(long After, Effect Effect)> _held = new();
    private int[] _timers = [0];
    private long _persistsAsked, _persistsDone;

    public ActorId Id { get; } = id;

    /// <summary>Where it lives, or is to be started next.</summary>
    public int Node { get; set; } = node;

    /// <summary>The machine; null before the start and after a crash.</summary>
    public ActorMachine? Machine { get; private set; }

    /// <summary>Counts the machines that have lived here.</summary>
    public int Life { get; private set; }

    /// <summary>What has come while the actor was busy.</summary>
    public Queue<SimulatedEvent> Inbox { get; } = new();

    /// <summary>Whether the actor has something to do, and will look into its inbox afterwards.</summary>
    public bool IsBusy { get; set; }

    /// <summary>The message that the actor takes in; null when it does something else.</summary>
    public SimulatedEvent? TakesIn { get; set; }

    /// <summary>How far the actor has come in what it does.</summary>
    public long Cursor { get; set; }

    /// <summary>The compute thread that has its turn, or had its last.</summary>
    public int OnMember { get; set; }

    /// <summary>When its last record is kept: one after the other.</summary>
    public long PersistsEnd { get; set; }

    /// <summary>Jobs of this life that have a slot.</summary>
    public int RunningJobs { get; set; }

    /// <summary>Nothing can be started here before.</summary>
    public long DownUntil { get; set; }

    /// <summary>The newest incarnation that was asked for.</summary>
    public int WantedIncarnation { get; set; }

    /// <summary>Factor on the time of its jobs, and until when.</summary>
    public (double Factor, long Until, bool UntilReplaced) Slow { get; set; } = (1, 0, false);

    /// <summary>Backups that were asked for because a job took too long.</summary>
    public int Backups { get; set; }

    /// <summary>Puts a machine here.</summary>
    public void Live(ActorMachine machine)
    {
        Machine = machine;
        PersistsEnd = 0;
    }

    /// <summary>The machine is gone; what it asked for is nobody's any more.</summary>
    public void Die()
    {
        Machine = null;
        Life++;
        RunningJobs = 0;
        IsBusy = false;
        TakesIn = null;
        _held.Clear();
        _persistsDone = _persistsAsked;
    }

    /// <summary>A persist was asked for.</summary>
    public void OnPersistAsked() => _persistsAsked++;

    /// <summary>A record is kept.</summary>
    public void OnPersisted() => _persistsDone++;

    /// <summary>Whether an effect that others can see must wait; it is kept if so.</summary>
    public bool Holds(in Effect effect)
    {
        if (_persistsDone == _persistsAsked)
        {
            return false;
        }

        _held.Enqueue((_persistsAsked, effect));
        return true;
    }

    /// <summary>The next effect that no persist holds back any more.</summary>
    public bool TryRelease(out Effect effect)
    {
        if (_held.TryPeek(out (long After, Effect Effect) held) && held.After <= _persistsDone)
        {
            _held.Dequeue();
            effect = held.Effect;
            return true;
        }

        effect = default;
        return false;
    }

    /// <summary>Takes out what will never be seen.</summary>
    public bool TryDropHeld(out Effect effect)
    {
        bool any = _held.TryDequeue(out (long After, Effect Effect) held);
        effect = held.Effect;
        return any;
    }

    /// <summary>A new setting of a timer; the ones before do not fire.</summary>
    public int SetTimer(int timer)
    {
        if (timer >= _timers.Length)
        {
            Array.Resize(ref _timers, timer + 1);
        }

        return ++_timers[timer];
    }

    /// <summary>Whether a setting of a timer is its newest.</summary>
    public bool IsCurrent(int timer, int setting) => _timers[timer] == setting;
}
