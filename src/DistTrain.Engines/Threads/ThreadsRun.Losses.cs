using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Threads;

/// <content>Actors that die, the coordinator among them, and what is started in their places.</content>
internal sealed partial class ThreadsRun
{
    private readonly Lock _lifeLock = new();
    private readonly int[] _wanted, _backups;
    private readonly TimeSpan? _backupAfter;
    private readonly TimeProvider _time;
    private readonly bool[] _dead;
    private MembershipRecord? _membershipKept;
    private SnapshotRecord? _snapshotKept;
    private CancellationToken _stop;
    private int _coordinatorIncarnation;
    private long _issued;

    /// <summary>Lets an actor die and tells the coordinator, as an engine that noticed would.</summary>
    public void Crash(ActorId actor)
    {
        if (actor == ActorId.Coordinator)
        {
            // What the next one goes on from is settled once this one can keep nothing more.
            _cells[actor.Index].Kill(() => _faults.StartWhenUp(actor, ReplaceCoordinator));
            return;
        }

        lock (_lifeLock)
        {
            _dead[actor.Index] = true;
        }

        _cells[actor.Index].Kill();
        Suspect(actor);
    }

    /// <inheritdoc/>
    public void Spawn(ActorId actor, int incarnation)
    {
        lock (_lifeLock)
        {
            _wanted[actor.Index] = incarnation;
        }

        _faults.StartWhenUp(actor, () => Start(actor, incarnation));
    }

    private void Start(ActorId actor, int incarnation)
    {
        lock (_lifeLock)
        {
            if (_wanted[actor.Index] != incarnation)
            {
                return;
            }

            _dead[actor.Index] = false;
            _cells[actor.Index].Start(Machines.Start(_plan, actor, incarnation, RunIdentity));
        }

        _cells[ActorId.Coordinator.Index].Post(new Stimulus(StimulusKind.Joined) { Actor = actor, Incarnation = incarnation });
    }

    private void Happens(Fault fault)
    {
        switch (fault)
        {
            case CrashFault { RestartAfter: null } crash when crash.Actor == ActorId.Coordinator:
                Report(new RunEnded(RunEnd.Failed, 0, "the coordinator was lost for good"));
                break;
            case CrashFault crash:
                Crash(crash.Actor);
                break;
            case SuspicionFault suspicion:
                Suspect(suspicion.Actor);
                break;
            case PauseFault pause:
                ActorCell paused = _cells[pause.Actor.Index];
                int which = paused.Pause();
                _faults.After(pause.For, () => paused.Resume(which));
                break;
            case SlowFault slow:
                ActorCell cell = _cells[slow.Actor.Index];
                Slowness slowness = new(slow.Factor, slow.UntilReplaced);
                cell.Slow(slowness);
                if (slow.For is TimeSpan span)
                {
                    _faults.After(span, () => cell.EndSlowness(slowness));
                }

                break;
        }
    }

    /// <inheritdoc/>
    public bool Watches(ActorId actor) => _backupAfter is not null && _plan.Topology.RoleOf(actor) == ActorRole.LayerActor;

    /// <inheritdoc/>
    public IDisposable? WatchJob(ActorId actor) => Watches(actor) ? Watch(actor) : null;

    // Apart from the question, which is asked for every job and would make the closure first.
    private ITimer Watch(ActorId actor) => _time.CreateTimer(_ => OnStraggling(actor), null, _backupAfter!.Value, Timeout.InfiniteTimeSpan);

    /// <summary>A job takes too long: it goes on, and what would have come of it is computed again by whoever takes its actor's place.</summary>
    private void OnStraggling(ActorId actor)
    {
        if (Interlocked.Increment(ref _backups[actor.Index]) <= Limits.BackupsPerActorMax)
        {
            Suspect(actor);
        }
    }

    private void Suspect(ActorId actor) => _cells[ActorId.Coordinator.Index].Post(new Stimulus(StimulusKind.Suspected) { Actor = actor });

    /// <summary>What a new coordinator starts from where no log is kept.</summary>
    private void Keep(PersistRecord record)
    {
        if (record is MembershipRecord or SnapshotRecord)
        {
            lock (_lifeLock)
            {
                _membershipKept = record as MembershipRecord ?? _membershipKept;
                _snapshotKept = record as SnapshotRecord ?? _snapshotKept;
            }
        }
    }

    private void ReplaceCoordinator()
    {
        List<ActorId> dead = [];
        Coordinator next;
        lock (_lifeLock)
        {
            // What the one before asked to be started is nobody's business any more.
            Array.Clear(_wanted);
            for (int index = 1; index < _dead.Length; index++)
            {
                if (_dead[index] || _cells[index].IsVacant)
                {
                    dead.Add(new ActorId(index));
                }
            }

            next = NextCoordinator();
        }

        ActorCell coordinator = _cells[ActorId.Coordinator.Index];
        coordinator.Start(next);
        if (_plan.Topology.Copies > 1)
        {
            dead.ForEach(Suspect);
        }

        if (_stop.IsCancellationRequested)
        {
            coordinator.Post(new Stimulus(StimulusKind.StopRequested));
        }
    }

    private Coordinator NextCoordinator()
    {
        (CoordinatorProgress from, MembershipRecord? before) = _storage.CanReplaceCoordinator
            ? _storage.ForNextCoordinator()
            : (_snapshotKept?.Progress ?? _storage.From, _membershipKept ?? _storage.Before);
        if (_plan.Topology.Copies == 1)
        {
            Report(new Recovered((before?.Epoch ?? 0) + 1, from.Step, Math.Max(0, Volatile.Read(ref _issued) - from.Step)));
        }

        Coordinator next = Machines.NextCoordinator(_plan, RunIdentity, _storage.From, from, before, _coordinatorIncarnation);
        _coordinatorIncarnation = next.Incarnation;
        return next;
    }
}
