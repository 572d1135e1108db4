using System.Collections.Concurrent;
using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Wire;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Clients;

/// <summary>One run of a cluster, seen by its client: it submits the job, hears reports, and fetches the model at the end.</summary>
internal sealed class ClientRun : IDisposable
{
    /// <summary>Silence of the whole cluster after which the run counts as lost: several times what a new leader needs.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(60);

    /// <summary>How long the cluster may know nothing of an accepted run before it counts as lost; nodes that are started anew, or a new leader, need a while to find it.</summary>
    private static readonly TimeSpan UnknownMax = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan UnknownWhenStoppingMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ShutdownFor = TimeSpan.FromSeconds(5);

    private readonly RunRequest _request;
    private readonly IRunObserver _observer;
    private readonly RunPlan _plan;
    private readonly RunRecorder _recorder;
    private readonly AloneCounter _alone;
    private readonly BlockingCollection<ClusterMessage> _heard = [];
    private readonly ActorSystem _system;
    private readonly IActorRef _client;
    private readonly SnapshotFolder _journal;
    private readonly string? _temporary;
    private readonly string _cluster;
    private readonly long _runId;
    private readonly RunMarker? _marker;
    private bool _isAccepted;
    private TimeSpan? _unknownSince;
    private CancellationToken _stop;
    private long _lastStep;
    private RunOver? _over;

    /// <param name="request">The run.</param>
    /// <param name="observer">Hears of it, on the thread that waits for its end.</param>
    /// <param name="target">The cluster.</param>
    /// <param name="time">The clock.</param>
    public ClientRun(RunRequest request, IRunObserver observer, ClusterTarget target, TimeProvider time)
    {
        (_request, _observer) = (request, observer);
        _plan = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        _alone = new AloneCounter(_plan);
        _cluster = target.Cluster;
        _temporary = request.JournalFolder is null ? Directory.CreateTempSubdirectory("disttrain-").FullName : null;
        _journal = new SnapshotFolder(Path.GetFullPath(request.JournalFolder ?? _temporary!));
        _system = SystemConfig.Client(target.Host, new SealSetup(target.Secret, Say, _ => { }), target.Tls);
        try
        {
            bool goesOnFromLogs = RunMarker.Read(_journal.FullPath) is not null;
            (_runId, CoordinatorProgress? committed) = Resumed(request, target);
            CoordinatorProgress from = StartingPoint.Of(request, request.JournalFolder is null ? null : _journal.Newest, committed);
            (string text, IReadOnlyList<string> files, bool ships) = ClusterExperiment.Localize(request.Experiment!, target.Datasets);
            _recorder = new RunRecorder(_plan, request.Data.TargetsAreClasses, observer, time);
            _recorder.StartAfter(from);
            _lastStep = from.Step;
            _marker = _plan.KeepsLog && request.JournalFolder is not null ? RunMarker.Write(_journal.FullPath, _runId, from.Step) : null;
            string self = $"{((ExtendedActorSystem)_system).Provider.DefaultAddress}/user/{ClientActor.Name}";
            ClusterJob job = new(
                _runId,
                request.Settings.Name,
                text,
                request.Settings.Seed,
                request.Settings.Precision,
                request.Data.Facts,
                [.. files.Select(file => DataFiles.Describe(target.Datasets, file))],
                request.ComputeThreads,
                from.Step > 0 ? from : null,
                self,
                ships,
                HoldsSnapshot: from.Step > 0 && !goesOnFromLogs);
            _client = _system.ActorOf(Props.Create(() => new ClientActor(target, job, _journal.FullPath, Hear)), ClientActor.Name);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Trains to the end.</summary>
    public RunOutcome ToEnd(CancellationToken stop)
    {
        _stop = stop;
        TimeSpan heardAt = _recorder.Elapsed;
        using (stop.Register(() => _client.Tell(new ClientActor.StopAsked())))
        {
            while (_recorder.Ended is null)
            {
                if (_heard.TryTake(out ClusterMessage? message, LookEvery))
                {
                    heardAt = _recorder.Elapsed;
                    if (message is Refused && !_isAccepted)
                    {
                        // Asked to stop before anything began, which is no refusal.
                        stop.ThrowIfCancellationRequested();
                    }

                    On(message);
                }
                else if (_recorder.Elapsed - heardAt > SilenceMax)
                {
                    Fail(
                        $"no node has answered for {SilenceMax.TotalSeconds} s; expected a running cluster of the name '{_cluster}' at the given addresses (--cluster takes a "
                        + $"cluster.conf for one of another name), and the same {ClusterSecret.Variable} here as there");
                }
            }
        }

        RunEnded ended = _recorder.Ended;
        KeptParameters parameters = ended.End == RunEnd.Failed ? KeptParameters.None : Collect(ended.Step);
        bool hasModel = ended.End != RunEnd.Failed;
        if (hasModel)
        {
            _marker?.Delete();
        }

        _client.Tell(new ClientActor.Collected(hasModel));
        return OutcomeOf(parameters);
    }

    public void Dispose()
    {
        _marker?.Dispose();
        _system.Terminate().Wait(ShutdownFor);
        _system.Dispose();
        _heard.Dispose();
        if (_temporary is not null)
        {
            Directory.Delete(_temporary, recursive: true);
        }
    }

    /// <summary>Which run this is, and what the nodes keep of its last commit: one that goes on from their logs is the one that it was.</summary>
    private (long RunId, CoordinatorProgress? Committed) Resumed(RunRequest request, ClusterTarget target) =>
        request.ResumeFromStep > 0 && RunMarker.Read(_journal.FullPath) is (long RunId, long Step) marker
            ? (marker.RunId, KeptRunFinder.Find(_system, target, marker.RunId, request.ResumeFromStep))
            : (RunMarker.NewRunId(), null);

    private void Hear(ClusterMessage message)
    {
        if (!_heard.IsAddingCompleted)
        {
            _heard.Add(message);
        }
    }

    private void Say(string notice) => Hear(new RunNote(0, 0, JsonSerializer.SerializeToUtf8Bytes(new Note(NoteKind.Notice) { Text = notice }, ControlJson.Default.Note)));

    private void On(ClusterMessage message)
    {
        switch (message)
        {
            case Accepted:
                _isAccepted = true;
                break;
            case Refused refused when _isAccepted:
                // A later leader cannot go on: it is the faults that were too many, and not the experiment.
                Fail(refused.Reason);
                break;
            case Refused refused:
                throw new InvalidInputException($"engine: akka: {refused.Reason}");
            case ClusterStatus status when _isAccepted:
                OnStatus(JsonSerializer.Deserialize(status.Report, NodeJson.Default.StatusReport)!);
                break;
            case NotesLost lost:
                _observer.OnNotice($"{lost.Sequence} reports of the cluster did not get here in time and are lost; the run goes on, and metrics.jsonl lacks their steps");
                break;
            case RunNote note:
                OnNote(JsonSerializer.Deserialize(note.Note, ControlJson.Default.Note)!);
                break;
            case RunOver over:
                _over = over;
                OnNote(JsonSerializer.Deserialize(over.Ended, ControlJson.Default.Note)!);
                break;
        }
    }

    /// <summary>Nodes that were all started anew know nothing of a run that kept no log, and would say so for ever.</summary>
    private void OnStatus(StatusReport status)
    {
        if (status.Run?.Id == _runId)
        {
            _unknownSince = null;
            return;
        }

        _unknownSince ??= _recorder.Elapsed;
        if (_recorder.Elapsed - _unknownSince > (_stop.IsCancellationRequested ? UnknownWhenStoppingMax : UnknownMax))
        {
            Fail($"the cluster does not know this run any more{(status.Run is StatusRun other ? $" and trains {other.Name}" : "")}: its nodes were started anew, or waited too long for this client");
        }
    }

    private void OnNote(Note note)
    {
        if (note.Kind == NoteKind.Notice)
        {
            _observer.OnNotice(note.Text ?? "");
            return;
        }

        switch (note.AnyReport)
        {
            case null:
                return;
            case StepCommitted step:
                _lastStep = Math.Max(_lastStep, step.Step);
                _marker?.Heard(_lastStep);
                break;
            case TrainsAlone alone:
                _alone.On(alone);
                break;
            case Recovered { Epoch: 0 } recovered:
                // The leader is new, and does not know what the one before had committed in its memory.
                _recorder.On(recovered with { StepsRedone = Math.Max(0, _lastStep - recovered.Step) });
                return;
        }

        _recorder.On(note.AnyReport);
    }

    private void Fail(string reason) => _recorder.On(new RunEnded(RunEnd.Failed, _lastStep, reason));

    /// <summary>Fetches the last snapshot, which holds the model, into the journal folder, so that the run can be resumed from there.</summary>
    private KeptParameters Collect(long step)
    {
        foreach (string holder in _over?.Holders ?? [])
        {
            if (PartFetcher.FetchSnapshotAsync(((ExtendedActorSystem)_system).Provider.ResolveActorRef(holder), _runId, step, _plan.Slices.Count, _journal).GetAwaiter().GetResult())
            {
                return ReadParameters(step);
            }
        }

        throw new IOException($"the model of step {step} cannot be fetched: no node that kept it answers; the nodes' data folders still have it");
    }

    private KeptParameters ReadParameters(long step)
    {
        using BufferPool pool = new();
        using SnapshotStore snapshots = new(pool, new SnapshotFiles(_journal.FullPath, _plan), inMemory: false);
        return _request.Settings.Precision == Precision.Float32
            ? new ShardArithmetic<float>(_request, _plan, pool, snapshots).ReadParameters(step)
            : new ShardArithmetic<double>(_request, _plan, pool, snapshots).ReadParameters(step);
    }

    private RunOutcome OutcomeOf(KeptParameters parameters)
    {
        Note counts = _over is null ? new Note(NoteKind.Counts) : JsonSerializer.Deserialize(_over.Counts, ControlJson.Default.Note)!;
        return _recorder.Outcome(parameters, []) with
        {
            MessagesByType = [.. counts.Messages ?? []],
            BytesSent = counts.Bytes,
            FrontContribution = _alone.Outcome is FrontContributionOutcome front ? front with { MessagesWhileAlone = counts.MessagesWhileAlone } : null,
        };
    }
}
