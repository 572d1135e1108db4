using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Tracing;

/// <summary>
/// Divides the training time of every layer actor into work and the locks of Jaderberg et al. (2017), strictly by the clock: a wait for
/// a signal is update lock until the last stage has run that micro-batch forward, and backward lock from then on. Evaluation is left
/// out: the account stands still from the first evaluation message to the next step. Not thread-safe; listens to the simulated
/// engine, which alone tells waits.
/// </summary>
/// <param name="plan">The run's plan.</param>
public sealed class LockAccount(RunPlan plan) : IRunTrace
{
    private readonly LossTimes _losses = new(plan);
    private readonly PassTimes _passes = new();
    private readonly Entry[] _entries = [.. Enumerable.Range(0, plan.Topology.LayerActors).Select(_ => new Entry())];
    private bool _isOpen;
    private long _openedAt, _elapsed, _issued, _evaluated = -1;

    /// <summary>Hears of every stretch of a layer actor's time; null for nobody.</summary>
    public Action<WaitSlice>? Listener { get; init; }

    /// <summary>Training time up to a moment of the run, in nanoseconds: without evaluation.</summary>
    public long TrainingTime(long nanoseconds) => _elapsed + (_isOpen ? nanoseconds - _openedAt : 0);

    /// <inheritdoc/>
    public void OnSpan(in TraceSpan span)
    {
        if (span.Step == 0 || plan.Topology.RoleOf(span.Actor) != ActorRole.LayerActor)
        {
            return;
        }

        _passes.Add(span);
        (int replica, int stage) = plan.Topology.StageOf(span.Actor);
        if (span.Kind == JobKind.Forward && plan.IsFirstStage(stage))
        {
            _losses.Clear(replica, span.Step, span.MicroBatch);
        }
        else if (span.Kind == JobKind.Loss && plan.IsLastStage(stage))
        {
            _losses.Set(replica, span.Step, span.MicroBatch, span.EndNanoseconds);
        }
        else if (span.Kind == JobKind.Backward)
        {
            _entries[span.Actor.Index - 1].AddGradient(span.UpdateStep - 1 - span.WeightVersion);
        }
    }

    /// <inheritdoc/>
    public void OnMessage(in TraceMessage message)
    {
        switch (message.Type)
        {
            case "begin-epoch":
                (_issued, _evaluated) = (message.Step, -1);
                break;
            case "issue-step":
                _issued = Math.Max(_issued, message.Step);
                if (message.Step > _evaluated)
                {
                    Open(message.ReceivedNanoseconds);
                }

                break;
            case "collect-contributions" or "coefficients":
                Open(message.ReceivedNanoseconds);
                break;
            case "evaluate" when message.Step >= _issued:
                _evaluated = message.Step;
                Close(message.ReceivedNanoseconds);
                break;
        }
    }

    /// <inheritdoc/>
    public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes)
    {
        if (plan.Topology.RoleOf(actor) != ActorRole.LayerActor)
        {
            return;
        }

        Entry entry = _entries[actor.Index - 1];
        if (_isOpen)
        {
            Settle(actor, entry, nanoseconds);
            entry.Peak = Math.Max(entry.Peak, storedBytes);
        }

        entry.Wait = wait;
    }

    /// <summary>Where the time went up to the run's end.</summary>
    /// <param name="nanoseconds">The run's virtual time.</param>
    public LockReport Report(long nanoseconds)
    {
        Close(nanoseconds);
        LayerTimes[] layers = [.. _entries.Select((entry, index) => Times(new ActorId(index + 1), entry))];
        long busy = layers.Sum(layer => layer.Of(TimeShare.Busy)), covered = _passes.Covered();
        return new LockReport(
            layers,
            _elapsed,
            _elapsed == 0 ? double.NaN : busy / ((double)_elapsed * layers.Length),
            covered == 0 ? double.NaN : 1 - (_passes.Busy / ((double)covered * plan.Participants.Count)));
    }

    private void Open(long now)
    {
        if (_isOpen)
        {
            return;
        }

        (_isOpen, _openedAt) = (true, now);
        foreach (Entry entry in _entries)
        {
            entry.Since = now;
        }
    }

    private void Close(long now)
    {
        if (!_isOpen)
        {
            return;
        }

        for (int index = 0; index < _entries.Length; index++)
        {
            Settle(new ActorId(index + 1), _entries[index], now);
        }

        _isOpen = false;
        _elapsed += now - _openedAt;
    }

    /// <summary>Books what the actor did or waited for up to now.</summary>
    private void Settle(ActorId actor, Entry entry, long now)
    {
        ActorWait wait = entry.Wait;
        if (wait.Kind != WaitKind.Signal)
        {
            Book(actor, entry, now, wait.Kind switch
            {
                WaitKind.Busy => TimeShare.Busy,
                WaitKind.Activation => TimeShare.ForwardLock,
                WaitKind.Parameters => TimeShare.Parameters,
                _ => TimeShare.Released,
            });
            return;
        }

        long? loss = _losses.Find(plan.Topology.StageOf(actor).Replica, wait.Step, wait.MicroBatch);
        Book(actor, entry, Math.Min(loss ?? now, now), TimeShare.UpdateLock);
        Book(actor, entry, now, TimeShare.BackwardLock);
    }

    private void Book(ActorId actor, Entry entry, long until, TimeShare share)
    {
        if (until <= entry.Since)
        {
            return;
        }

        entry.Shares[(int)share] += until - entry.Since;
        Listener?.Invoke(new WaitSlice(actor, entry.Since, until, share, entry.Wait.Step, entry.Wait.MicroBatch));
        entry.Since = until;
    }

    private LayerTimes Times(ActorId actor, Entry entry)
    {
        // An asynchronous server numbers versions by arrival, so that steps say nothing about age.
        bool isKnown = entry.Gradients > 0 && !plan.Asynchronous;
        return new LayerTimes
        {
            Actor = actor,
            Name = plan.Topology.NameOf(actor),
            Stage = plan.Topology.StageOf(actor).Stage,
            Shares = entry.Shares,
            Elapsed = _elapsed,
            PeakActivationBytes = entry.Peak,
            Gradients = entry.Gradients,
            StalenessMax = isKnown ? entry.StalenessMax : null,
            StalenessMean = isKnown ? (double)entry.StalenessSum / entry.Gradients : null,
        };
    }

    /// <summary>What is known of one layer actor.</summary>
    private sealed class Entry
    {
        public ActorWait Wait { get; set; } = ActorWait.Released;

        public long Since { get; set; }

        public long Peak { get; set; }

        public long[] Shares { get; } = new long[Enum.GetValues<TimeShare>().Length];

        public long Gradients { get; private set; }

        public long StalenessSum { get; private set; }

        public long StalenessMax { get; private set; }

        public void AddGradient(long staleness)
        {
            Gradients++;
            StalenessSum += staleness;
            StalenessMax = Math.Max(StalenessMax, staleness);
        }
    }
}
