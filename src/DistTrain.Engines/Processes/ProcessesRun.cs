using System.Collections.Concurrent;
using System.Security.Cryptography;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Engines.Storage;
using DistTrain.Numerics;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Processes;

/// <summary>
/// One run in processes, seen by their parent: it starts them, hears reports, starts again what ended and tells the coordinator, which alone
/// decides what follows from it. If the coordinator's process ends, a new coordinator goes on from the last committed step where the run keeps a
/// log, with a higher epoch; without one from the last snapshot as another run, so that what the old one sent is nobody's business any more. Where shards have
/// copies, it goes on from what they hold.
/// </summary>
internal sealed partial class ProcessesRun : IDisposable
{
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
    private readonly TimeSpan _silenceMax, _beatEvery, _doubtFor;
    private CoordinatorProgress _from;
    private readonly List<ChildProcess> _given = [];
    private readonly long _claim, _logBefore;
    private readonly int[] _incarnations;
    private int _coordinatorIncarnation, _leads;
    private long _run, _commits, _lastStep, _lastCommit;
    private bool _stopRequested, _over;

    /// <param name="request">The run.</param>
    /// <param name="observer">Hears of it, on the thread that waits for its end.</param>
    /// <param name="program">The program of the children.</param>
    /// <param name="time">The clock.</param>
    /// <param name="silenceMax">After how long without a word a process is killed; null for the engine's limit.</param>
    public ProcessesRun(RunRequest request, IRunObserver observer, ChildProgram program, TimeProvider time, TimeSpan? silenceMax = null)
    {
        _silenceMax = silenceMax ?? ProcessesLimits.SilenceMax;
        _beatEvery = TimeSpan.FromMilliseconds(Math.Clamp(_silenceMax.TotalMilliseconds / ProcessesLimits.BeatsInSilence, 1, ProcessesLimits.BeatEveryMax.TotalMilliseconds));
        _doubtFor = ProcessesLimits.BeatsInDoubt * _beatEvery;
        (_request, _program, _observer) = (request, program, observer);
        _plan = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        _placement = new Placement(_plan.Topology, request.Workers, _cores);
        _alone = new AloneCounter(_plan);
        _faults.AddRange(request.Faults);
        _journal = request.JournalFolder is string journal ? Path.GetFullPath(journal) : _folder.JournalFolder;
        MembershipRecord? before;
        try
        {
            _claim = JournalHold.Claim(_journal);
            (_from, before, _logBefore) = RunStorage.Prepare(request, _plan, _journal, observer.OnNotice);
        }
        catch
        {
            // A run that is refused leaves nothing behind.
            _folder.Dispose();
            throw;
        }

        _coordinatorIncarnation = before is { Incarnations: [int incarnation, ..] } ? incarnation : 0;
        _lastStep = _lastCommit = _from.Step;
        _token = Convert.ToHexString(RandomNumberGenerator.GetBytes(ProcessesLimits.TokenBytes));
        _recorder = new RunRecorder(_plan, request.Data.TargetsAreClasses, observer, time);
        _recorder.StartAfter(_from);
        _incarnations = new int[_plan.Topology.Count];
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

    /// <summary>Steps that were committed and, with what the run kept, committed once more.</summary>
    public long StepsCommittedAgain { get; private set; }

    /// <summary>
    /// Whether a silent process is left as it is, and not killed, when another takes its place, as one must be that does not end or lives elsewhere; for tests.
    /// </summary>
    public bool SparesSilent { get; init; }

    private SupervisedProcess Coordinator => _processes[Placement.CoordinatorProcess];

    /// <summary>Trains to the end.</summary>
    public RunOutcome ToEnd(CancellationToken stop)
    {
        foreach (SupervisedProcess process in _processes)
        {
            Start(process);
        }

        ProcessesControl control = new(_plan.Topology, Actors, fault => Happened(() => BeginByHand(fault)));
        _request.Started?.Invoke(control);
        using (stop.Register(() => Happened(OnStopRequested)))
        {
            while (_recorder.Ended is null)
            {
                if (_events.TryTake(out Action? happened, UntilNextLook()))
                {
                    happened();
                }

                StartDue();
                DoDueFaults();
                if (_events.Count == 0)
                {
                    KillSilent();
                }
            }
        }

        control.End();
        RunEnded ended = _recorder.Ended;
        Note[] counts = EndProcesses();
        KeptParameters parameters = ended.End == RunEnd.Failed ? KeptParameters.None : ReadParameters(ended.Step);
        return OutcomeOf(parameters, counts);
    }

    public void Dispose()
    {
        _over = true;
        foreach (SupervisedProcess process in _processes)
        {
            process.Child?.Kill();
        }

        foreach (ChildProcess given in _given)
        {
            given.Kill();
            given.WaitForExit(ProcessesLimits.EndMax);
            given.Close();
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

    private void OnNote(SupervisedProcess process, ChildProcess child, Note note)
    {
        if (process.Child != child)
        {
            // What it says counts no more: another has its place.
            return;
        }

        if (process.SilentUntil != TimeSpan.MaxValue)
        {
            process.SilentUntil = _recorder.Elapsed + _silenceMax;
            process.IsDoubted = false;
        }

        switch (note.Kind)
        {
            case NoteKind.Spawn when note.Run == _run:
                ActorId actor = new(note.Actor);
                Volatile.Write(ref _incarnations[note.Actor], note.Incarnation);
                _processes[_placement.ProcessOf(actor)].Send(
                    new Command(CommandKind.Spawn) { Run = note.Run, Actor = note.Actor, Incarnation = note.Incarnation });
                break;
            case NoteKind.Joined when note.Run == _run:
                Coordinator.Send(new Command(CommandKind.Joined) { Actor = note.Actor, Incarnation = note.Incarnation });
                break;
            case NoteKind.Issued:
                OnIssued(note.Issued);
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
                StepsCommittedAgain += step.Step <= _lastCommit ? 1 : 0;
                (_lastStep, _lastCommit) = (step.Step, Math.Max(step.Step, _lastCommit));
                OnCommit?.Invoke();
                break;
            case SnapshotCompleted snapshot:
                foreach (SupervisedProcess process in _processes.Where(process => process != Coordinator))
                {
                    process.Child?.Send(new Command(CommandKind.Snapshot) { Step = snapshot.Step });
                }

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

    private void OnStopRequested()
    {
        _stopRequested = true;
        Coordinator.Child?.Send(new Command(CommandKind.Stop));
    }

    /// <summary>The last snapshot holds the model; or the log does, where a run was killed after its last commit and nothing was left to do.</summary>
    private KeptParameters ReadParameters(long step)
    {
        using BufferPool pool = new();
        LogReader found = LogReader.Read(_request.Disk, _journal);
        using RunLog? log = RunLog.Open(
            _request.Disk, _journal, _plan, found, SnapshotFiles.Newest(_journal)?.Step ?? 0, _observer.OnNotice, writes: false);
        using SnapshotStore snapshots = new(pool, new SnapshotFiles(_journal, _plan), log, inMemory: false);
        return _request.Settings.Precision == Precision.Float32
            ? new ShardArithmetic<float>(_request, _plan, pool, snapshots).ReadParameters(step)
            : new ShardArithmetic<double>(_request, _plan, pool, snapshots).ReadParameters(step);
    }

    private RunOutcome OutcomeOf(KeptParameters parameters, Note[] counts)
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
