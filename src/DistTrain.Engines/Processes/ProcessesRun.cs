using System.Collections.Concurrent;
using System.Security.Cryptography;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Processes;

/// <summary>
/// One run in processes, seen by their parent: it starts them, hears reports, starts again what ended and tells the coordinator, which alone
/// decides what follows from it. If the coordinator's process ends, a new coordinator goes on from the last snapshot as another run, so
/// that what the old one sent is nobody's business any more.
/// </summary>
internal sealed class ProcessesRun : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly RunRequest _request;
    private readonly ChildProgram _program;
    private readonly RunPlan _plan;
    private readonly Placement _placement;
    private readonly int _cores = Environment.ProcessorCount;
    private readonly SocketFolder _folder = new();
    private readonly string _journal, _token;
    private readonly RunRecorder _recorder;
    private readonly AloneCounter _alone;
    private readonly SupervisedProcess[] _processes;
    private readonly BlockingCollection<Action> _events = [];
    private readonly IRunObserver _observer;
    private readonly TimeSpan _silenceMax;
    private CoordinatorProgress _from;
    private long _run, _commits, _lastStep;
    private bool _stopRequested, _over;

    /// <param name="request">The run.</param>
    /// <param name="observer">Hears of it, on the thread that waits for its end.</param>
    /// <param name="program">The program of the children.</param>
    /// <param name="time">The clock.</param>
    /// <param name="silenceMax">After how long without a word a process is killed; null for the engine's limit.</param>
    public ProcessesRun(RunRequest request, IRunObserver observer, ChildProgram program, TimeProvider time, TimeSpan? silenceMax = null)
    {
        _silenceMax = silenceMax ?? ProcessesLimits.SilenceMax;
        (_request, _program, _observer) = (request, program, observer);
        _plan = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        _placement = new Placement(_plan.Topology, request.Workers, _cores);
        _alone = new AloneCounter(_plan);
        _journal = request.JournalFolder is string journal ? Path.GetFullPath(journal) : _folder.JournalFolder;
        _from = StartingPoint.Of(request, request.JournalFolder is null ? null : SnapshotFiles.Newest(request.JournalFolder), committed: null);
        _lastStep = _from.Step;
        _token = Convert.ToHexString(RandomNumberGenerator.GetBytes(ProcessesLimits.TokenBytes));
        _recorder = new RunRecorder(_plan, request.Data.TargetsAreClasses, observer, time);
        _recorder.StartAfter(_from);
        _processes = [.. Enumerable.Range(0, _placement.Count).Select(process =>
            new SupervisedProcess(process, _placement.NameOf(process), [.. _placement.ActorsOf(process)]))];
    }

    /// <summary>The folder of the sockets; for tests.</summary>
    public string Folder => _folder.FullPath;

    /// <summary>What every connection shows; for tests.</summary>
    public string Token => _token;

    /// <summary>Names and numbers of the processes that live now; from the observer's calls only.</summary>
    public IReadOnlyList<(string Name, int Id)> Living =>
        [.. _processes.Where(process => process.Child is not null).Select(process => (process.Name, process.Child!.Id))];

    /// <summary>Called at every commit, those of steps that are redone included, of which an observer does not hear; for tests and benchmarks.</summary>
    public Action? OnCommit { get; set; }

    private SupervisedProcess Coordinator => _processes[Placement.CoordinatorProcess];

    /// <summary>Trains to the end.</summary>
    public RunOutcome ToEnd(CancellationToken stop)
    {
        foreach (SupervisedProcess process in _processes)
        {
            Start(process);
        }

        using (stop.Register(() => Happened(OnStopRequested)))
        {
            while (_recorder.Ended is null)
            {
                if (_events.TryTake(out Action? happened, LookEvery))
                {
                    happened();
                }

                StartDue();
                if (_events.Count == 0)
                {
                    KillSilent();
                }
            }
        }

        RunEnded ended = _recorder.Ended;
        Note[] counts = EndProcesses();
        byte[][] parameters = ended.End == RunEnd.Failed ? [] : ReadParameters(ended.Step);
        return OutcomeOf(parameters, counts);
    }

    public void Dispose()
    {
        _over = true;
        foreach (SupervisedProcess process in _processes)
        {
            process.Child?.Kill();
        }

        foreach (SupervisedProcess process in _processes)
        {
            // A process that was killed is reaped by the runtime; its number is free only then.
            process.Child?.WaitForExit(ProcessesLimits.EndMax);
            process.Child?.Close();
        }

        _folder.Dispose();
    }

    private void Happened(Action action) => _events.Add(action);

    private void Start(SupervisedProcess process)
    {
        ChildJob job = new(
            process.Number,
            _folder.FullPath,
            _token,
            _request.Experiment!,
            _request.Settings.Seed,
            _request.Settings.Precision,
            _request.Data.Facts,
            _journal,
            _request.Workers,
            _cores,
            _request.ComputeThreads > 0 ? _request.ComputeThreads : Math.Max(1, _cores / _processes.Length));
        if (process == Coordinator)
        {
            process.Send(new Command(CommandKind.Lead) { Run = ++_run, Progress = _from });
            if (_stopRequested)
            {
                process.Send(new Command(CommandKind.Stop));
            }
        }

        process.SilentUntil = _recorder.Elapsed + ProcessesLimits.StartMax;
        process.IsDoubted = false;
        process.OnStarted(new ChildProcess(
            _program, job, (child, note) => Happened(() => OnNote(process, child, note)), child => Happened(() => OnEnded(process, child))));
    }

    private void StartDue()
    {
        foreach (SupervisedProcess process in _processes.Where(process => process.RestartAt <= _recorder.Elapsed))
        {
            Start(process);
        }
    }

    private void KillSilent()
    {
        TimeSpan now = _recorder.Elapsed;
        foreach (SupervisedProcess process in _processes)
        {
            if (process.Child is not ChildProcess child || process.SilentUntil >= now)
            {
                continue;
            }

            if (!process.IsDoubted)
            {
                (process.IsDoubted, process.SilentUntil) = (true, now + (2 * ProcessesLimits.BeatEvery));
                continue;
            }

            process.SilentUntil = TimeSpan.MaxValue;
            _observer.OnNotice($"{process.Name} (process {child.Id}) has been silent for {_silenceMax.TotalSeconds} s and is killed");
            child.Kill();
        }
    }

    private void OnNote(SupervisedProcess process, ChildProcess child, Note note)
    {
        if (process.Child == child && process.SilentUntil != TimeSpan.MaxValue)
        {
            process.SilentUntil = _recorder.Elapsed + _silenceMax;
            process.IsDoubted = false;
        }

        switch (note.Kind)
        {
            case NoteKind.Spawn when note.Run == _run:
                ActorId actor = new(note.Actor);
                _processes[_placement.ProcessOf(actor)].Send(
                    new Command(CommandKind.Spawn) { Run = note.Run, Actor = note.Actor, Incarnation = note.Incarnation });
                break;
            case NoteKind.Report:
                OnReport(note.AnyReport);
                break;
            case NoteKind.Notice:
                _observer.OnNotice(note.Text ?? "");
                break;
        }
    }

    private void OnReport(Report? report)
    {
        switch (report)
        {
            case null:
                return;
            case StepCommitted step:
                _commits++;
                _lastStep = step.Step;
                OnCommit?.Invoke();
                break;
            case TrainsAlone alone:
                _alone.On(alone);
                foreach (SupervisedProcess process in _processes.Where(process => process != Coordinator))
                {
                    process.Send(new Command(CommandKind.Alone) { On = alone.Alone });
                }

                break;
            case Recovered recovered:
                _lastStep = recovered.Step;
                break;
        }

        _recorder.On(report);
    }

    private void OnEnded(SupervisedProcess process, ChildProcess child)
    {
        if (_over || process.Child != child)
        {
            return;
        }

        string ending = $"{process.Name} (process {child.Id}) {child.Ending}";
        process.OnEnded();
        child.Close();
        if (process.Restarts.OnEnded(_commits) is not TimeSpan wait)
        {
            _recorder.On(new RunEnded(RunEnd.Failed, 0, $"{ending}; it was restarted {process.Restarts.Restarts - 1} times, so its fault is not passing"));
            return;
        }

        process.RestartAt = _recorder.Elapsed + wait;
        _observer.OnNotice($"{ending}; it is started again");
        if (process == Coordinator)
        {
            GoBack();
            return;
        }

        foreach (ActorId actor in process.Actors)
        {
            // A coordinator that is being started starts every actor anyway.
            Coordinator.Child?.Send(new Command(CommandKind.Suspect) { Actor = actor.Index });
        }
    }

    /// <summary>What the coordinator had committed since the last snapshot was in its memory alone.</summary>
    private void GoBack()
    {
        _from = SnapshotFiles.Newest(_journal) ?? _from;
        OnReport(new Recovered(0, _from.Step, Math.Max(0, _lastStep - _from.Step)));
    }

    private void OnStopRequested()
    {
        _stopRequested = true;
        Coordinator.Child?.Send(new Command(CommandKind.Stop));
    }

    /// <summary>Ends all processes, in order those that can; returns what they counted.</summary>
    private Note[] EndProcesses()
    {
        _over = true;
        ChildProcess[] children = [.. _processes.Select(process => process.Child).OfType<ChildProcess>()];
        foreach (ChildProcess child in children)
        {
            child.Send(new Command(CommandKind.End));
        }

        TimeSpan until = _recorder.Elapsed + ProcessesLimits.EndMax;
        int left = children.Length;
        while (left > 0 && until > _recorder.Elapsed && _events.TryTake(out Action? happened, until - _recorder.Elapsed))
        {
            happened();
            left = children.Count(child => child.Ending.Length == 0);
        }

        return [.. children.Select(child => child.Counts).OfType<Note>()];
    }

    /// <summary>The last snapshot holds the model.</summary>
    private byte[][] ReadParameters(long step)
    {
        using BufferPool pool = new();
        using SnapshotStore snapshots = new(pool, new SnapshotFiles(_journal, _plan), inMemory: false);
        return _request.Settings.Precision == Precision.Float32
            ? new ShardArithmetic<float>(_request, _plan, pool, snapshots).ReadParameters(step)
            : new ShardArithmetic<double>(_request, _plan, pool, snapshots).ReadParameters(step);
    }

    private RunOutcome OutcomeOf(byte[][] parameters, Note[] counts)
    {
        SortedDictionary<string, long> messages = new(StringComparer.Ordinal);
        foreach ((string tag, long count) in counts.SelectMany(note => note.Messages ?? []))
        {
            messages[tag] = messages.GetValueOrDefault(tag) + count;
        }

        return _recorder.Outcome(parameters, []) with
        {
            MessagesByType = [.. messages],
            BytesSent = counts.Sum(note => note.Bytes),
            FrontContribution = _alone.Outcome is FrontContributionOutcome front
                ? front with { MessagesWhileAlone = counts.Sum(note => note.MessagesWhileAlone) }
                : null,
        };
    }
}
