using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Clients;

/// <summary>
/// A client's voice: submits a job to one node after the other until a leader answers, takes its notes in order, and lets nodes fetch the
/// snapshot that a resumed run goes on from.
/// </summary>
internal sealed class ClientActor : ReceiveActor, IWithTimers
{
    /// <summary>Its name below <c>/user</c>.</summary>
    public const string Name = "client";

    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);

    private readonly ClusterTarget _target;
    private readonly ClusterJob _job;
    private readonly Action<ClusterMessage> _heard;
    private readonly SnapshotFolder? _journal;
    private int _next;
    private long _run, _taken, _early, _earlyTaken;
    private IActorRef _leader = ActorRefs.Nobody;

    /// <param name="target">The cluster.</param>
    /// <param name="job">The job.</param>
    /// <param name="journal">Where the snapshot of a resumed run is; null for none.</param>
    /// <param name="heard">Hears, in order, what concerns the run.</param>
    public ClientActor(ClusterTarget target, ClusterJob job, string? journal, Action<ClusterMessage> heard)
    {
        (_target, _job, _heard) = (target, job, heard);
        _journal = journal is null ? null : new SnapshotFolder(journal);
        Receive<Accepted>(OnAccepted, accepted => ClusterJob.IdOf(accepted.Run) == _job.RunId);
        Receive<Refused>(refused => _heard(refused));
        Receive<RunNote>(OnNote, note => IsOfRun(note.Run));
        Receive<RunNote>(OnEarlyNote, note => _run == 0 && ClusterJob.IdOf(note.Run) == _job.RunId);
        Receive<NotesLost>(OnLost, lost => IsOfRun(lost.Run));
        Receive<RunOver>(over => _heard(over), over => IsOfRun(over.Run));
        Receive<ClusterStatus>(status => _heard(status));
        Receive<FetchPart>(wanted => Sender.Tell(
            _journal is not null && wanted.RunId == _job.RunId ? _journal.Read(wanted) : new Part(wanted.RunId, wanted.Step, wanted.Name, wanted.Offset, -1, [])));
        Receive<FetchFile>(wanted => Sender.Tell(DataFiles.Read(_target.Datasets, _job, wanted)));
        Receive<StopAsked>(_ => AnyNode().Tell(new StopRun(_job.RunId), Self));
        Receive<Collected>(collected => AnyNode().Tell(new RunCollected(_job.RunId, collected.HasModel), Self));
        Receive<Tick>(_ => OnTick());
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer("tick", Tick.Instance, TimeSpan.Zero, TickEvery);

    private void OnTick()
    {
        // While nodes make ready, which takes long where they are sent data, the leader says nothing of the run; that it is there shows in its status.
        NextNode().Tell(new AskStatus(), Self);
        if (_run == 0)
        {
            NextNode().Tell(new Submit(_job.ToBytes()), Self);
        }
        else
        {
            _leader.Tell(new NotesTaken(_run, _taken), Self);
        }
    }

    /// <summary>Whether something concerns the run under its newest leader. A later one is believed though its first word was lost.</summary>
    private bool IsOfRun(long run)
    {
        if (_run != 0 && run > _run && ClusterJob.IdOf(run) == _job.RunId)
        {
            OnAccepted(new Accepted(run));
        }

        return run == _run && _run != 0;
    }

    private void OnAccepted(Accepted accepted)
    {
        if (accepted.Run > _run)
        {
            (_run, _taken, _leader) = (accepted.Run, accepted.Run == _early ? _earlyTaken : 0, Sender);
            _heard(accepted);
        }
    }

    private void OnNote(RunNote note)
    {
        // The leader may have changed its node, and numbers its notes anew then.
        _leader = Sender;
        if (note.Sequence == _taken + 1)
        {
            _taken = note.Sequence;
            _heard(note);
        }
    }

    /// <summary>This client was away for so long that the leader does not keep all notes any more.</summary>
    private void OnLost(NotesLost lost)
    {
        if (lost.Sequence > _taken)
        {
            _heard(new NotesLost(lost.Run, lost.Sequence - _taken));
            _taken = lost.Sequence;
        }
    }

    /// <summary>What a leader says while nodes make ready, such as for whom it waits.</summary>
    private void OnEarlyNote(RunNote note)
    {
        if (note.Sequence == (note.Run == _early ? _earlyTaken + 1 : 1))
        {
            (_early, _earlyTaken) = (note.Run, note.Sequence);
            _heard(note);
        }
    }

    private IActorRef AnyNode() => _leader.IsNobody() ? NextNode() : _leader;

    private IActorRef NextNode()
    {
        string seed = _target.Seeds[_next++ % _target.Seeds.Count];
        return ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(
            $"{_target.SystemOf(seed)}/user/{NodeActor.Name}");
    }

    /// <summary>To the client's actor: the user wants the run to stop.</summary>
    internal sealed record StopAsked;

    /// <summary>To the client's actor: the model is here, or does not come.</summary>
    internal sealed record Collected(bool HasModel);

    private sealed class Tick
    {
        public static Tick Instance { get; } = new();
    }
}
