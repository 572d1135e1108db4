using System.Runtime.ExceptionServices;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Engines.Tracing;
using DistTrain.Numerics;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Threads;

/// <summary>One run on threads: all actors' cells, and a wire that delivers by reference.</summary>
internal sealed partial class ThreadsRun : IActorHost, IDisposable
{
    // Runs do not share a wire here, so one identity serves.
    private const long RunIdentity = 1;

    private readonly RunPlan _plan;
    private readonly BufferPool _pool;
    private readonly RunStorage _storage;
    private readonly GroupCommit? _commits;
    private readonly IJobRunner _runner;
    private readonly ComputeCrew _crew;
    private readonly ActorCell[] _cells;
    private readonly RunRecorder _recorder;
    private readonly AloneCounter _alone;
    private readonly ThreadsFaults _faults;
    private readonly ThreadsControl _control;
    private readonly TraceFeed? _trace;
    private readonly LinkCounters? _links;
    private readonly Action<IRunControl>? _started;
    private readonly Lock _reportLock = new();
    private ExceptionDispatchInfo? _failure;

    public ThreadsRun(RunRequest request, IRunObserver observer, TimeProvider time)
    {
        _plan = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        _alone = new AloneCounter(_plan);
        int threads = request.ComputeThreads > 0 ? request.ComputeThreads : Environment.ProcessorCount;

        // What a log gets is held by the thread that writes it.
        _pool = new BufferPool(isShared: threads > 1 || _plan.KeepsLog);
        _storage = new RunStorage(request, _plan, _pool, observer.OnNotice);
        _commits = _storage.Syncs ? new GroupCommit(_storage, _pool, OnFailure) : null;
        _runner = request.Settings.Precision == Precision.Float32
            ? new JobRunner<float>(request, _plan, _pool, _storage.Snapshots)
            : new JobRunner<double>(request, _plan, _pool, _storage.Snapshots);
        _recorder = new RunRecorder(_plan, request.Data.TargetsAreClasses, observer, time);
        _recorder.StartAfter(_storage.From);
        _trace = request.Trace is IRunTrace trace ? new TraceFeed(trace, time, _pool) : null;
        _crew = new ComputeCrew(threads, _runner, new ShortJobs(_plan), takesCaller: true)
        {
            OnFailure = OnFailure,
        };
        _cells = new ActorCell[_plan.Topology.Count];
        for (int index = 0; index < _cells.Length; index++)
        {
            _cells[index] = new ActorCell(new ActorId(index), this, _crew, _pool, time == TimeProvider.System ? TimerThread.Shared : time);
        }

        _wanted = new int[_cells.Length];
        _backups = new int[_cells.Length];
        (_backupAfter, _time) = (request.Settings.BackupAfter, time);
        _dead = new bool[_cells.Length];
        _faults = new ThreadsFaults(request.Faults, time, Begun, Happens);
        _started = request.Started;
        _links = _started is null ? null : new LinkCounters(_cells.Length);
        _control = new ThreadsControl(_plan.Topology, _cells, _faults, _links);
    }

    /// <inheritdoc/>
    public TraceFeed? Trace => _trace is { IsListening: true } ? _trace : null;

    /// <summary>Buffers alive now; for tests.</summary>
    public int LiveBuffers => _pool.Live;

    /// <summary>The actors' places; for tests.</summary>
    public IReadOnlyList<ActorCell> Cells => _cells;

    /// <summary>Trains to the end.</summary>
    public RunOutcome ToEnd(CancellationToken stop)
    {
        ActorCell coordinator = _cells[ActorId.Coordinator.Index];
        Coordinator first = Machines.Coordinator(_plan, RunIdentity, _storage.From, _storage.Before);
        (_coordinatorIncarnation, _stop) = (first.Incarnation, stop);
        YoungHeap.Settle(_plan.TotalSteps);

        // Heard before the first step runs, because this thread may be kept from its core for as long as several steps take.
        using (stop.Register(() => coordinator.Post(new Stimulus(StimulusKind.StopRequested))))
        {
            coordinator.Start(first);
            if (stop.IsCancellationRequested)
            {
                // Whoever stopped the run before its start told an empty place.
                coordinator.Post(new Stimulus(StimulusKind.StopRequested));
            }

            _faults.Start();
            _started?.Invoke(_control);
            _crew.Work();
        }

        _control.End();

        _commits?.Dispose();
        _crew.Dispose();
        _failure?.Throw();
        KeptParameters parameters = _recorder.Ended!.End == RunEnd.Failed ? KeptParameters.None : _runner.ReadParameters(_recorder.Ended.Step);
        return _recorder.Outcome(parameters, [.. _cells.Select(cell => cell.Sent)]) with { FrontContribution = _alone.Outcome };
    }

    public void Deliver(Envelope envelope)
    {
        _alone.See(envelope);
        _links?.OnSent(envelope, _pool);
        Trace?.Message(envelope);
        if (envelope.From == ActorId.Coordinator && envelope.Message is IssueStep issue)
        {
            Volatile.Write(ref _issued, issue.Step);
            _faults.OnIssued(issue.Step);
        }

        _cells[envelope.To.Index].Post(Stimulus.Arrived(envelope));
    }

    public void OnLost(Envelope envelope) => _links?.OnLost(envelope);

    public bool Persist(ActorCell cell, int life, PersistRecord record)
    {
        if (_commits is not null)
        {
            _commits.Add(cell, life, record);
            Keep(record);
            return false;
        }

        try
        {
            _storage.Write(record);
            Keep(record);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            RunStorage.Release(record, _pool);
            cell.OnPersisted(life, record, exception.Message);
            return false;
        }

        RunStorage.Release(record, _pool);
        return true;
    }

    public void Report(Report report)
    {
        lock (_reportLock)
        {
            _alone.On(report);
            _recorder.On(report);
            if (_recorder.Ended is not null)
            {
                _crew.Stop();
            }
        }
    }

    public void Dispose()
    {
        _faults.Dispose();
        _commits?.Dispose();
        _crew.Dispose();
        foreach (ActorCell cell in _cells)
        {
            cell.Dispose();
        }

        _storage.Dispose();
        _pool.Dispose();
    }

    private void Begun(Fault fault)
    {
        lock (_reportLock)
        {
            _recorder.OnFault(fault);
        }
    }

    private void OnFailure(Exception exception)
    {
        _failure = ExceptionDispatchInfo.Capture(exception);
        _crew.Stop();
    }
}
