using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>
/// An actor's place on this host: its mailbox, timers and unfinished persists. The machine inside is stepped by one thread
/// at a time and may be
/// replaced by a new incarnation.
/// </summary>
internal sealed partial class ActorCell(ActorId id, IActorHost host, ComputeCrew crew, BufferPool pool, TimeProvider time) : IDisposable
{
    // A turn ends after so many stimuli, so that a busy actor does not keep others from the crew.
    private const int StimuliPerTurnMax = 64;

    // And after so many jobs of its own, because what it sent waits for the end of the turn.
    private const int JobsPerTurnMax = 16;

    private readonly Lock _lock = new();
    private Mailbox _mailbox = new(), _taken = new();
    private readonly EffectList _effects = new();
    private readonly Queue<(long After, Effect Effect)> _held = new();
    private readonly Queue<(Job Job, string? Problem)> _doneInTurn = new();
    private readonly Queue<PersistRecord> _keptInTurn = new();
    private readonly Dictionary<int, ITimer> _timers = [];
    private ActorMachine? _machine, _next;
    private bool _killed, _paused;

    // A turn is queued or runs, and will look into the mailbox before it ends. Read without the lock by that turn.
    private volatile bool _scheduled;

    // The same of a turn that the crew's only thread has queued for what it put where no lock is needed.
    private bool _scheduledHere;

    // Read without the lock, between any two stimuli of a turn: something has happened to the actor besides them.
    private volatile bool _interrupted;
    private int _pauses;
    private Action? _gone;
    private int _life;
    private int _jobsInTurn;

    // Something has been sent in this turn that may wait to be sent off.
    private bool _hasDelivered;
    private ComputeScratch? _scratchOfTurn;
    private long _persistsAsked, _persistsDone;
    private volatile Slowness? _slowness;

    /// <summary>Who lives here.</summary>
    public ActorId Id { get; } = id;

    /// <summary>The machine; null before the start and after a crash. For reading when nothing runs.</summary>
    public ActorMachine? Machine => _machine;

    /// <summary>Whether nothing lives here, and nothing is about to.</summary>
    public bool IsVacant
    {
        get
        {
            lock (_lock)
            {
                return _next is null && (_machine is null || _killed);
            }
        }
    }

    /// <summary>Stimuli that wait.</summary>
    public int MailboxDepth
    {
        get
        {
            lock (_lock)
            {
                return _mailbox.Count + _taken.Count;
            }
        }
    }

    /// <summary>What this actor sent.</summary>
    public MessageCounters Sent { get; } = new();

    /// <summary>Puts a machine here in place of the one before, and starts it.</summary>
    public void Start(ActorMachine machine)
    {
        lock (_lock)
        {
            (_next, _paused, _interrupted) = (machine, false, true);
        }

        Post(new Stimulus(StimulusKind.Started));
    }

    /// <summary>Makes jobs that begin from now on slow, in place of what has slowed them until now.</summary>
    public void Slow(Slowness slowness) => _slowness = slowness;

    /// <summary>Jobs are as fast as they are again, unless something else slows them by now.</summary>
    public void EndSlowness(Slowness slowness) => Interlocked.CompareExchange(ref _slowness, null, slowness);

    /// <summary>Lets nothing here be taken in until <see cref="Resume"/>: it waits in the mailbox. A job that has begun ends. Whoever is started in its place is awake.</summary>
    /// <returns>Which pause this is.</returns>
    public int Pause()
    {
        lock (_lock)
        {
            (_paused, _interrupted) = (true, true);
            return ++_pauses;
        }
    }

    /// <summary>Ends a pause, unless another has begun since or who was paused is gone.</summary>
    /// <param name="pause">Which.</param>
    public void Resume(int pause)
    {
        lock (_lock)
        {
            if (pause == _pauses)
            {
                Awake();
            }
        }
    }

    /// <summary>Lets the machine die: its memory is gone, what it sent is not.</summary>
    /// <param name="gone">Called once when it will not be stepped again; null for nothing.</param>
    public void Kill(Action? gone = null)
    {
        lock (_lock)
        {
            (_killed, _interrupted) = (true, true);
            _gone += gone;
            Awake();
        }
    }

    /// <summary>Puts a stimulus in the mailbox.</summary>
    public void Post(in Stimulus stimulus)
    {
        if (crew.IsOnlyThread && !_interrupted && !_paused && _mailbox.Count == 0)
        {
            // This thread takes all turns, so that what they have taken is its own, and nothing that it has sent before waits in the mailbox.
            _taken.Add(stimulus);
            if (!_scheduledHere)
            {
                _scheduledHere = true;
                crew.Schedule(this);
            }

            return;
        }

        lock (_lock)
        {
            _mailbox.Add(stimulus);
            ScheduleIfIdle();
        }
    }

    /// <summary>A record of this actor is kept, or could not be. Called in the order in which the records were given.</summary>
    /// <param name="life">The life that gave it: what an earlier life asked for is nobody's business any more.</param>
    /// <param name="record">The record.</param>
    /// <param name="problem">Why it could not be kept; null when it is.</param>
    public void OnPersisted(int life, PersistRecord record, string? problem = null)
    {
        lock (_lock)
        {
            if (life == _life)
            {
                _mailbox.Add(Stimulus.Kept(record, problem));
                ScheduleIfIdle();
            }
        }
    }

    /// <summary>Handles what is in the mailbox. Called by one crew member at a time.</summary>
    /// <param name="scratch">The member's working memory, for jobs that the turn runs itself.</param>
    public void RunTurn(ComputeScratch scratch)
    {
        (_jobsInTurn, _scratchOfTurn) = (0, scratch);
        for (int handled = 0; handled < StimuliPerTurnMax; handled++)
        {
            if ((_interrupted || _taken.Count == 0) && !TryTakeMail(out Action? gone))
            {
                if (gone is null)
                {
                    _scheduledHere = false;
                    return;
                }

                gone();
                continue;
            }

            Handle(_taken.Take());
            FinishOwn();
        }

        SendOff();
        crew.Schedule(this);
    }

    public void Dispose()
    {
        foreach (ITimer timer in _timers.Values)
        {
            timer.Dispose();
        }

        // Everything is given back, so that an engine can check that nothing leaked.
        _killed = true;
        GatherMail();
        ReplaceMachine();
        while (_mailbox.Count > 0)
        {
            DropReferences(_mailbox.Take());
        }
    }

    /// <summary>
    /// Takes what waits all at once, so that a turn asks for the lock once and not for every stimulus. Where something has interrupted the actor, the turn has to look
    /// whether it is paused, has died, or has another machine in its place.
    /// </summary>
    /// <param name="gone">To be called, for a machine has died and somebody waits for that; null for nobody.</param>
    /// <returns>Whether there is something to handle; where not, and nobody waits, the turn is over.</returns>
    private bool TryTakeMail(out Action? gone)
    {
        // Before somebody else may have the next turn.
        SendOff();
        if (!_scheduled && !_interrupted)
        {
            // Nobody has put anything into the mailbox; whoever does queues another turn.
            gone = null;
            return false;
        }

        lock (_lock)
        {
            gone = null;
            if (_interrupted)
            {
                GatherMail();
                _interrupted = false;
            }

            if (_killed || _next is not null)
            {
                (gone, _gone) = (_gone, null);
                ReplaceMachine();
                if (gone is not null)
                {
                    return false;
                }
            }

            if (!_paused)
            {
                (_mailbox, _taken) = (_taken, _mailbox);
            }

            _scheduled = _taken.Count > 0;
            return _scheduled;
        }
    }

    /// <summary>Puts what a turn has taken and not handled back before what has come since.</summary>
    private void GatherMail()
    {
        _mailbox.MoveTo(_taken);
        (_mailbox, _taken) = (_taken, _mailbox);
    }

    private void Awake()
    {
        _paused = false;
        ScheduleIfIdle();
    }

    private void ScheduleIfIdle()
    {
        if (!_scheduled && !_paused)
        {
            _scheduled = true;
            crew.Schedule(this);
        }
    }

    private void ReplaceMachine()
    {
        if (_machine is not null)
        {
            _effects.Clear();
            _machine.Abandon(_effects);
            CarryOut();
            host.Trace?.Wait(Id, ActorWait.Released);
        }

        DropHeld();
        DropPersistResults();
        _life++;
        _killed = false;
        _machine = _next;
        _slowness = _machine is not null && _slowness is { UntilReplaced: true } ? null : _slowness;
        _next = null;
    }

    private void Handle(in Stimulus stimulus)
    {
        if (_machine is null)
        {
            if (stimulus.Envelope is Envelope lost)
            {
                host.OnLost(lost);
            }

            DropReferences(stimulus);
            return;
        }

        if (stimulus.Kind == StimulusKind.Persisted)
        {
            _persistsDone++;
            PublishHeld();
        }
        else if (stimulus.Kind == StimulusKind.PersistFailed)
        {
            // What waited for the record must never be seen; the machine's last word must.
            DropHeld();
        }

        _effects.Clear();
        _machine.Step(stimulus, _effects);
        host.Trace?.Wait(Id, _machine.Wait);
        CarryOut();
        if (stimulus.Envelope is Envelope envelope)
        {
            ReleaseDelivery(envelope);
        }
    }

    /// <summary>Takes the results of the life before out of the mailbox; the rest of it is for whoever lives here next to
    /// judge.</summary>
    private void DropPersistResults()
    {
        _keptInTurn.Clear();
        for (int left = _mailbox.Count; left > 0; left--)
        {
            Stimulus stimulus = _mailbox.Take();
            if (stimulus.Kind is not (StimulusKind.Persisted or StimulusKind.PersistFailed))
            {
                _mailbox.Add(stimulus);
            }
        }
    }

    private void DropReferences(in Stimulus stimulus)
    {
        switch (stimulus.Kind)
        {
            case StimulusKind.Message:
                ReleaseDelivery(stimulus.Envelope!);
                break;
            case StimulusKind.JobDone:
                ReleaseOutputs(stimulus.Job!);
                break;
        }
    }

    private void ReleaseDelivery(Envelope envelope)
    {
        pool.Release(envelope.First);
        pool.Release(envelope.Second);
    }
}
