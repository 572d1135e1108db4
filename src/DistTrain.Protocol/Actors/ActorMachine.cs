using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Links;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// An actor as a pure state machine: one stimulus in, effects out. No task, lock, clock, random source or file inside. This
/// base checks envelopes,
/// keeps the links (once, in order, retried with back-off) and drops what belongs to an earlier epoch or incarnation.
/// </summary>
public abstract partial class ActorMachine
{
    private const int RetryTimer = 0;
    private const int AcknowledgeTimer = 1;
    private const int RareRetryTimer = 2;
    private const int RecentLinks = 8;

    private readonly long _run;
    private readonly int _windowMax;
    private readonly Dictionary<int, Link> _links = [];
    private readonly List<int> _linkOrder = [];

    // The links that were used last, by the last bits of their peers: nearly all that a step looks up, for an actor has few neighbours.
    private readonly Link?[] _recentLinks = new Link?[RecentLinks];
    private int[] _incarnations;
    private EffectList? _effects;
    private ActorId? _owing;
    private bool _retryTimerRuns, _rareRetryTimerRuns, _acknowledgeTimerRuns, _stopped, _isInquired;
    private int[] _lastMembers = [], _lastCopies = [];
    private int _lastEpoch;

    private protected ActorMachine(RunPlan plan, ActorId self, int incarnation, long run)
    {
        Plan = plan;
        Self = self;
        Incarnation = incarnation;
        _run = run;

        // Members learn the incarnations with their first epoch; until then a table each would be quadratic in the actors.
        _incarnations = self == ActorId.Coordinator ? new int[plan.Topology.Count] : [];
        if (self == ActorId.Coordinator)
        {
            _incarnations[self.Index] = incarnation;
        }

        _windowMax = WindowMax(plan);
        View = plan.EveryShard;
    }

    /// <summary>The run's plan.</summary>
    public RunPlan Plan { get; }

    /// <summary>Who this is.</summary>
    public ActorId Self { get; }

    /// <summary>How often this actor was restarted; from 1.</summary>
    public int Incarnation { get; }

    /// <summary>Counts the recoveries of the run; 0 until the first begin-epoch.</summary>
    public int Epoch { get; private protected set; }

    /// <summary>Which copies of shards take part in this epoch.</summary>
    private protected ShardView View { get; private set; }

    /// <summary>Envelopes dropped for another run, an old epoch or an old incarnation.</summary>
    public long Stale { get; private set; }

    /// <summary>Envelopes dropped because they had arrived before.</summary>
    public long Duplicates { get; private set; }

    /// <summary>What this actor waits for, for people; empty when it has nothing to do.</summary>
    public abstract string WaitsFor { get; }

    /// <summary>What this actor is in the middle of, or waits for; to be read between steps. Released where nobody asks.</summary>
    public virtual ActorWait Wait => ActorWait.Released;

    /// <summary>The effects of the step under way.</summary>
    private protected EffectList Effects
    {
        get
        {
            InvariantException.Require(_effects is not null, "Effects exist during a step only.");
            return _effects;
        }
    }

    /// <summary>The members' incarnations in actor order.</summary>
    private protected int[] Incarnations => _incarnations;

    /// <summary>Handles one stimulus and appends its effects.</summary>
    public void Step(in Stimulus stimulus, EffectList effects)
    {
        if (_stopped)
        {
            DropReferences(stimulus, effects);
            return;
        }

        _effects = effects;
        switch (stimulus.Kind)
        {
            case StimulusKind.Message:
                Receive(stimulus.Envelope!);
                break;
            case StimulusKind.Timer when stimulus.Timer == RetryTimer:
                Retry();
                break;
            case StimulusKind.Timer when stimulus.Timer == RareRetryTimer:
                RetryRarely();
                break;
            case StimulusKind.Timer:
                AcknowledgeAll();
                break;
            case StimulusKind.JobDone when stimulus.Job!.Epoch != Epoch:
                ReleaseOutputs(stimulus.Job, effects);
                break;
            case StimulusKind.JobDone:
                OnJobDone(stimulus.Job);
                break;
            case StimulusKind.JobFailed when stimulus.Job!.Epoch != Epoch:
                break;
            case StimulusKind.JobFailed:
                Fail($"{Plan.Topology.NameOf(Self)} could not go on: {stimulus.Problem}");
                break;
            case StimulusKind.Persisted:
                OnPersisted(stimulus.Record!);
                break;
            case StimulusKind.PersistFailed:
                Fail($"{Plan.Topology.NameOf(Self)} could not keep its state: {stimulus.Problem}");
                break;
            default:
                OnOther(stimulus);
                break;
        }

        Acknowledge();
        _effects = null;
    }

    /// <summary>Gives every buffer back, as the death of a process would; the machine must not be stepped again.</summary>
    public void Abandon(EffectList effects)
    {
        _effects = effects;
        ReleaseLinks();
        ReleaseState();
        _stopped = true;
        _effects = null;
    }

    /// <summary>Adds the buffers of activations (inputs, outputs and what backward passes need) that this actor holds, some of them
    /// perhaps none; to be called between steps.</summary>
    public virtual void CollectActivations(ICollection<BufferHandle> buffers)
    {
    }

    /// <summary>An in-order message of this epoch. Buffers in it are lent for the step; keep one with
    /// <see cref="EffectList.Retain"/>.</summary>
    private protected abstract void OnMessage(ActorId from, Message message);

    /// <summary>A job of this epoch completed; each output carries one reference.</summary>
    private protected abstract void OnJobDone(Job job);

    /// <summary>A new epoch began: forget what was under way and go on from a committed step.</summary>
    private protected abstract void OnEpoch(long committedStep);

    /// <summary>A new coordinator asks what there is. Nothing older counts from here on, and nothing is done until an epoch begins.</summary>
    private protected virtual void OnInquired() => Answer(committedStep: -1, preparedStep: -1);

    /// <summary>Answers a new coordinator.</summary>
    private protected void Answer(long committedStep, long preparedStep) =>
        Send(ActorId.Coordinator, new Standing(_lastEpoch, _lastMembers, _lastCopies, committedStep, preparedStep));

    /// <summary>Gives back every buffer that the actor holds outside its links.</summary>
    private protected virtual void ReleaseState()
    {
    }

    /// <summary>A record is kept.</summary>
    private protected virtual void OnPersisted(PersistRecord record)
    {
    }

    /// <summary>Something was acknowledged, so there may be room to send more.</summary>
    private protected virtual void OnAcknowledged()
    {
    }

    /// <summary>Started, suspected, stop requested.</summary>
    private protected virtual void OnOther(in Stimulus stimulus)
    {
    }

    /// <summary>Sends over the link; the message's buffers are retained until it is acknowledged.</summary>
    private protected void Send(ActorId to, Message message)
    {
        Link link = LinkTo(to);
        Envelope envelope = Wrap(to, message, link.NextSequence(), link);
        Effects.Retain(envelope.First);
        Effects.Retain(envelope.Second);
        link.Sent(envelope);
        Effects.Send(envelope);
        StartRetryTimer();
    }

    /// <summary>Sends to every copy of a shard that takes part.</summary>
    private protected void SendToShard(int shard, Message message)
    {
        foreach (ActorId copy in View.Of(shard))
        {
            Send(copy, message);
        }
    }

    /// <summary>Whether more may be sent to an actor without waiting for its acknowledgements.</summary>
    private protected bool HasRoomTo(ActorId to) => LinkTo(to).HasRoom;

    /// <summary>
    /// Takes everything sent to an actor as acknowledged, where something else has told that it arrived: the actor may now
    /// be gone without anybody
    /// waiting for it.
    /// </summary>
    private protected void Settle(ActorId peer)
    {
        Link link = LinkTo(peer);
        while (link.TryAcknowledge(long.MaxValue, out Envelope? envelope))
        {
            ReleaseBuffers(envelope);
        }
    }

    /// <summary>Whether an actor still has to acknowledge something.</summary>
    private protected bool IsOwedBy(ActorId peer) => LinkTo(peer).Waits;

    /// <summary>Runs a job in this epoch.</summary>
    private protected void Run(Job job)
    {
        job.Epoch = Epoch;
        Effects.RunJob(job);
    }

    /// <summary>Enters an epoch: all links start anew.</summary>
    private protected void EnterEpoch(int epoch, int[] incarnations, ShardView? view = null)
    {
        ReleaseLinks();
        Epoch = epoch;
        _incarnations = incarnations;
        View = view ?? View;
    }

    /// <summary>Stops for good: the run cannot be saved.</summary>
    private protected void Fail(string reason)
    {
        _stopped = true;
        Effects.Report(new RunEnded(RunEnd.Failed, 0, reason));
    }
}
