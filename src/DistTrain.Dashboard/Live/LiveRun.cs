using DistTrain.Commands.Dashboards;
using DistTrain.Dashboard.Pipelines;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
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
    private IRunControl? _control;
    private StepProgress _last;
    private long _noticeCount;

    /// <summary>Absolute path of the run's folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>Whether the engine has controls.</summary>
    public IReadOnlyList<string> Faults => Volatile.Read(ref _control)?.Faults ?? [];

    /// <summary>What the run does now.</summary>
    public LiveStatus Status()
    {
        lock (_lock)
        {
            return new LiveStatus(_last.Step, _last.TotalSteps, _last.Elapsed.TotalSeconds, _noticeCount, [.. _notices]);
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

        IRunControl? control = Volatile.Read(ref _control);
        long[] versions = trace.Versions();
        IReadOnlyList<LinkTotal> links = trace.Links();
        return new ActorsView(
            [.. (control?.Actors() ?? []).Select(actor => new ActorRow(
                actor.Actor.Index, actor.Name, actor.Place, actor.Incarnation, actor.MailboxDepth, actor.Dropped, versions[actor.Actor.Index]))],
            links,
            control?.Faults ?? []);
    }

    /// <summary>Brings a fault about; null once it has begun, else why not.</summary>
    public string? Begin(string fault, int actor) => Volatile.Read(ref _control) is IRunControl control
        ? control.Begin(fault, new ActorId(actor))
        : "this run's engine cannot be disturbed by hand";

    /// <inheritdoc/>
    public RunRequest Watch(RunRequest request, string engine)
    {
        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        LiveTrace trace = new(plan, tellsWaits: engine == SimulatedEngine.EngineName);
        Volatile.Write(ref _control, null);
        Volatile.Write(ref _trace, trace);
        return request with
        {
            Trace = request.Trace is IRunTrace other ? new TraceFan(other, trace) : trace,
            Started = control =>
            {
                request.Started?.Invoke(control);
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
                run._last = step;
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

/// <summary>An actor on its page; its version is −1 where it has worked with none.</summary>
internal sealed record ActorRow(int Index, string Name, string Place, int Incarnation, int Mailbox, long Dropped, long Version);

/// <summary>The actors of a run and the traffic between them.</summary>
internal sealed record ActorsView(IReadOnlyList<ActorRow> Actors, IReadOnlyList<LinkTotal> Links, IReadOnlyList<string> Faults);
