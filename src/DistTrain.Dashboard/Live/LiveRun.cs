using DistTrain.Commands.Dashboards;
using DistTrain.Dashboard.Folders;
using DistTrain.Dashboard.Pipelines;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Dashboard.Live;

/// <summary>A run of this process, as its pages see it. Thread-safe.</summary>
internal sealed class LiveRun(string folder, Action<LiveRun> ended) : ILiveRun
{
    private const int NoticesMax = 50;
    private readonly Lock _lock = new();
    private readonly Queue<string> _notices = new();
    private LiveTrace? _trace;
    private string? _experiment;
    private ExperimentNames? _names;
    private string[][] _refused = [];
    private IRunControl? _control;
    private StepProgress _last;
    private TimeSpan _lastElapsed;
    private long _noticeCount;

    /// <summary>Absolute path of the run's folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>Its resolved experiment, which is written before the run is shown.</summary>
    public string Experiment => _experiment ??= RunDetails.ExperimentOf(Folder);

    /// <summary>Its line in the list of runs.</summary>
    public RunEntry Entry()
    {
        ExperimentNames? names = _names ??= ExperimentNames.Read(Path.Combine(Folder, "experiment.yaml"));
        lock (_lock)
        {
            return new RunEntry(
                Path.GetFileName(Folder), "run", names?.Name ?? "", names?.Method ?? "", names?.Engine ?? "", "running", _last.Step,
                _last.Step > 0 ? _last.Loss : double.NaN, double.NaN, double.NaN,
                _lastElapsed.TotalSeconds, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1e3);
        }
    }

    /// <summary>What the run does now.</summary>
    public LiveStatus Status()
    {
        lock (_lock)
        {
            return new LiveStatus(_last.Step, _last.TotalSteps, _lastElapsed.TotalSeconds, _noticeCount, [.. _notices]);
        }
    }

    /// <summary>The last steps; null before the run started.</summary>
    public PipelineView? Pipeline() => Volatile.Read(ref _trace)?.Pipeline();

    /// <summary>The actors; null before the run started, or where the engine does not tell.</summary>
    public ActorsView? Actors()
    {
        if (Volatile.Read(ref _trace) is not LiveTrace trace)
        {
            return null;
        }

        if (Volatile.Read(ref _control) is not IRunControl control)
        {
            return new ActorsView([], [], []);
        }

        long[] versions = trace.Versions();
        IReadOnlyList<ActorStatus> actors = control.Actors();
        string[][] refused = Volatile.Read(ref _refused);
        return new ActorsView(
            [.. actors.Select((actor, index) => new ActorRow(
                actor.Actor.Index, actor.Name, actor.Place, actor.Incarnation, actor.MailboxDepth, actor.Dropped, versions[index], refused[index]))],
            [.. control.Links().Select(link => new LinkRow(link.From.Index, link.To.Index, link.Messages, link.Bytes, link.Lost))],
            HandFaults.All);
    }

    /// <summary>Brings a fault about; null once it has begun, else why not.</summary>
    /// <param name="fault">Its name.</param>
    /// <param name="actor">Whom it meets; of a link, the sender.</param>
    /// <param name="peer">Of a link, the receiver; null for faults of one actor.</param>
    public string? Begin(string fault, int actor, int? peer)
    {
        if (Volatile.Read(ref _control) is not IRunControl control)
        {
            return "this run's engine cannot be disturbed by hand";
        }

        return HandFaults.Of(fault, new ActorId(actor), peer is int other ? new ActorId(other) : null) is Fault asked
            ? control.Begin(asked)
            : $"there is no fault '{fault}' of {(peer is null ? "an actor" : "a link")}; expected "
                + string.Join(", ", HandFaults.All.Where(known => known.NeedsPeer == peer is not null).Select(known => known.Name));
    }

    /// <inheritdoc/>
    public RunRequest Watch(RunRequest request)
    {
        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        LiveTrace trace = new(plan);
        Volatile.Write(ref _control, null);
        Volatile.Write(ref _trace, trace);
        return request with
        {
            Trace = request.Trace is IRunTrace other ? new TraceFan(other, trace) : trace,
            Started = control =>
            {
                request.Started?.Invoke(control);
                Volatile.Write(ref _refused, RefusedBy(control));
                Volatile.Write(ref _control, control);
            },
        };
    }

    /// <inheritdoc/>
    public IRunObserver Watch(IRunObserver observer) => new Observer(this, observer);

    /// <inheritdoc/>
    public void Dispose()
    {
        Volatile.Write(ref _control, null);
        ended(this);
    }

    /// <summary>Of each actor, why each fault cannot be brought about; empty where it can. That never changes while a run lasts.</summary>
    private static string[][] RefusedBy(IRunControl control)
    {
        IReadOnlyList<ActorStatus> actors = control.Actors();
        return [.. actors.Select((actor, index) => HandFaults.All
            .Select(fault => HandFaults.Refuses(control, fault, actor.Actor, actors[(index + 1) % actors.Count].Actor) ?? "").ToArray())];
    }

    private void Notice(string text)
    {
        lock (_lock)
        {
            _noticeCount++;
            _notices.Enqueue($"step {_last.Step}: {text}");
            if (_notices.Count > NoticesMax)
            {
                _notices.Dequeue();
            }
        }
    }

    private sealed class Observer(LiveRun run, IRunObserver inner) : IRunObserver
    {
        public void OnStep(in StepProgress step)
        {
            lock (run._lock)
            {
                (run._last, run._lastElapsed) = (step, step.Elapsed);
            }

            inner.OnStep(step);
        }

        public void OnEpoch(EpochProgress epoch) => inner.OnEpoch(epoch);

        public void OnNotice(string text)
        {
            run.Notice(text);
            inner.OnNotice(text);
        }

        public void OnFault(string fault, TimeSpan elapsed)
        {
            run.Notice($"fault: {fault}");
            inner.OnFault(fault, elapsed);
        }
    }
}

/// <summary>What a run does now.</summary>
internal sealed record LiveStatus(long Step, long TotalSteps, double Elapsed, long NoticeCount, IReadOnlyList<string> Notices);

/// <summary>An actor on its page; its version is −1 where it was seen to work with none.</summary>
/// <param name="Refused">Why each of the faults cannot be brought about, in their order; empty where it can.</param>
internal sealed record ActorRow(
    int Index, string Name, string Place, int Incarnation, int? Mailbox, long? Dropped, long Version, IReadOnlyList<string> Refused);

/// <summary>A link's traffic so far; sender and receiver by their index.</summary>
internal sealed record LinkRow(int From, int To, long Messages, long Bytes, long Lost);

/// <summary>The actors of a run, the traffic between them, and the faults that a page has buttons for.</summary>
internal sealed record ActorsView(IReadOnlyList<ActorRow> Actors, IReadOnlyList<LinkRow> Links, IReadOnlyList<HandFault> Faults);
