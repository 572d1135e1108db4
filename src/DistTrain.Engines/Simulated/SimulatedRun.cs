using System.Diagnostics;
using DistTrain.Engines.Checking;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Tracing;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// One simulated run: the machines of all actors on the calling thread, one event after the other on a virtual clock. An actor handles one stimulus at a time; a
/// job has a slot of its actor's node for its virtual time, and its arithmetic runs at the end of that. The same request gives the same events.
/// </summary>
internal sealed partial class SimulatedRun : IDisposable
{
    private const long RunIdentity = 1;

    private readonly RunRequest _request;
    private readonly SimulationSettings _settings;
    private readonly RunPlan _plan;
    private readonly VirtualTime _time = new();
    private readonly EventQueue _events = new();
    private readonly SimulatedActor[] _actors;
    private readonly SimulatedNode[] _nodes;
    private readonly SimulatedCrew[]? _crews;
    private readonly SimulatedNetwork _network;
    private readonly JobPricing _pricing;
    private readonly ShortJobs _shortJobs;
    private readonly BufferPool? _pool;
    private readonly RunStorage? _storage;
    private readonly FaultyDisk? _faultyDisk;
    private readonly SimulatedBuffers _buffers;
    private readonly SimulatedFrames? _frames;
    private readonly IJobRunner _runner;
    private readonly ComputeScratch _scratch = new();
    private readonly EffectList _effects = new();
    private readonly RunRecorder _recorder;
    private readonly AloneCounter _alone;
    private readonly MessageCounters _sent = new();
    private readonly EventJournal? _journal;
    private readonly LinkCounters? _links;
    private readonly SimulatedControl? _control;
    private readonly string[] _names;
    private readonly IRunTrace? _trace;
    private readonly HostSeams _seams;
    private readonly long _messageOverhead, _suspectAfter, _backupAfter, _persist;
    private readonly long _jobOverhead, _handOver, _wake;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private MembershipRecord? _membershipKept;
    private SnapshotRecord? _snapshotKept;
    private long _messages, _issued;
    private int _coordinatorIncarnation;
    private bool _stopRequested;

    public SimulatedRun(RunRequest request, IRunObserver observer, HostSeams? seams = null)
    {
        _seams = seams ?? new HostSeams();

        bool failingDisk = request.Faults.Any(fault => fault is DiskFault);
        if (request.JournalFolder is null && (failingDisk || request.Settings.Durability != Durability.Memory))
        {
            // A simulated machine has a disk of its own.
            request = request with { JournalFolder = "journal", Disk = new SimulatedDisk() };
        }

        _faultyDisk = failingDisk ? new FaultyDisk(request.Disk) : null;
        IDisk eventDisk = request.Disk;
        request = request with { Disk = _faultyDisk ?? request.Disk };
        _request = request;
        _settings = request.Simulation;
        _trace = request.Trace;
        _plan = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        _alone = new AloneCounter(_plan);
        int nodes = _settings.Nodes > 0 ? Math.Min(_settings.Nodes, _plan.Topology.Count) : _plan.Topology.Count;
        _nodes = new SimulatedNode[nodes + request.Faults.OfType<NodeJoinFault>().Sum(join => join.Count)];
        for (int node = 0; node < _nodes.Length; node++)
        {
            _nodes[node] = new SimulatedNode(_settings.SlotsPerNode);
        }

        int[] places = FirstPlaces(nodes);
        _actors = new SimulatedActor[_plan.Topology.Count];
        for (int index = 0; index < _actors.Length; index++)
        {
            _actors[index] = new SimulatedActor(new ActorId(index), places[index]);
        }

        _nodeOf = [.. places];
        _downUntil = new long[_nodes.Length];
        _leaves = new bool[_nodes.Length];
        _target = new int[_actors.Length];
        Array.Fill(_target, CapacityPlacement.Nowhere);
        Array.Fill(_downUntil, long.MaxValue, nodes, _nodes.Length - nodes);
        _nodesJoined = nodes;
        _hasDisk = [.. Enumerable.Repeat(true, _plan.Topology.ShardActors)];
        _snapshotBy = new long[_plan.Topology.ShardActors];

        if (request.Started is not null)
        {
            _links = new LinkCounters(_actors.Length);
            _control = new SimulatedControl(_plan.Topology, _actors, _links);
        }

        _names = [.. _actors.Select(actor => _plan.Topology.NameOf(actor.Id))];
        _network = new SimulatedNetwork(_settings, request.Settings.Seed, _nodeOf, _nodes.Length);
        _pricing = new JobPricing(_plan, _settings);
        _shortJobs = new ShortJobs(_plan);
        (_messageOverhead, _suspectAfter) = (VirtualTime.Nanoseconds(_settings.MessageOverhead), VirtualTime.Nanoseconds(_settings.SuspectAfter));
        if (_settings.Machine is MachineProfile machine)
        {
            // Half of a message and of a job's own costs is before, half behind.
            (_messageOverhead, _jobOverhead) = (VirtualTime.Nanoseconds(machine.MessageSeconds / 2), VirtualTime.Nanoseconds(machine.JobSeconds / 2));
            (_handOver, _wake) = (VirtualTime.Nanoseconds(machine.HandOverSeconds), VirtualTime.Nanoseconds(machine.WakeSeconds));
            _crews = [.. _nodes.Select(_ => new SimulatedCrew(_settings.SlotsPerNode))];
        }

        _persist = VirtualTime.Nanoseconds(_settings.Persist);
        _backupAfter = request.Settings.BackupAfter is TimeSpan limit ? VirtualTime.Nanoseconds(limit) : long.MaxValue;
        if (_settings.TimingOnly)
        {
            _runner = new TimingJobRunner(_plan, request.GoesOn);
        }
        else
        {
            _pool = new BufferPool();
            _storage = new RunStorage(request, _plan, _pool, observer.OnNotice);
            _frames = new SimulatedFrames(_pool);
            _runner = request.Settings.Precision == Precision.Float32
                ? new JobRunner<float>(request, _plan, _pool, _storage.Snapshots)
                : new JobRunner<double>(request, _plan, _pool, _storage.Snapshots);
        }

        _buffers = new SimulatedBuffers(_pool);
        IRunObserver hears = _settings.TimingOnly ? new TimingObserver(observer) : observer;
        _recorder = new RunRecorder(_plan, request.Data.TargetsAreClasses, hears, _time);
        CoordinatorProgress from = _storage?.From ?? new CoordinatorProgress();
        _recorder.StartAfter(from);
        bool writes = request.JournalFolder is not null && (_settings.Journal ?? !_settings.TimingOnly);
        _journal = writes ? new EventJournal(eventDisk, request.JournalFolder!, from.Step) : null;
    }

    /// <summary>Events so far.</summary>
    public long Events { get; private set; }

    /// <summary>Buffers alive now; for tests.</summary>
    public int LiveBuffers => _pool?.Live ?? 0;

    /// <summary>Actors that died or were replaced; for tests.</summary>
    public int Deaths { get; private set; }

    /// <summary>Messages that were lost; for tests.</summary>
    public long Lost { get; private set; }

    /// <summary>Trains to the end, or to a committed step once <paramref name="stop"/> is cancelled.</summary>
    public RunOutcome ToEnd(CancellationToken stop)
    {
        ScheduleFaults();
        Coordinator first = Machines.Coordinator(_plan, RunIdentity, _storage?.From ?? new CoordinatorProgress(), _storage?.Before);
        _coordinatorIncarnation = first.Incarnation;
        Start(_actors[ActorId.Coordinator.Index], first);
        if (_control is not null)
        {
            _request.Started!(_control);
        }

        while (_recorder.Ended is null && _events.TryTake(out long at, out SimulatedEvent what))
        {
            _time.Now = at;
            if (at > _seams.EndsByNanoseconds)
            {
                _recorder.On(new RunEnded(RunEnd.Failed, 0, $"not ended after {_seams.EndsBy} of virtual time: {WhoWaits()}"));
            }

            Events++;
            Happen(what);
            BeginAsked();
            if (!_stopRequested && stop.IsCancellationRequested)
            {
                _stopRequested = true;
                Offer(_actors[ActorId.Coordinator.Index], new SimulatedEvent { Kind = EventKind.StopRequested });
            }
        }

        _control?.End();
        if (_recorder.Ended is null)
        {
            _recorder.On(new RunEnded(RunEnd.Failed, 0, $"nothing is left to happen: {WhoWaits()}"));
        }

        _journal?.Write(_time.Now, "run", "ended", _recorder.Ended!.End.ToString().ToLowerInvariant());
        KeptParameters parameters = _recorder.Ended!.End == RunEnd.Failed ? KeptParameters.None : _runner.ReadParameters(_recorder.Ended.Step);
        return Outcome(parameters);
    }

    /// <summary>Lets everybody die and drops what is under way, so that a test can see whether all buffers came back.</summary>
    public void GiveEverythingBack()
    {
        foreach (SimulatedActor actor in _actors)
        {
            Kill(actor);
        }

        while (_events.TryTake(out _, out SimulatedEvent what))
        {
            if (what.Object is Job job)
            {
                DropJob(what.Kind, job);
            }
            else if (what.Object is PersistRecord record)
            {
                ReleaseRecord(record);
            }
        }

        GiveCrewsBack();
        foreach (SimulatedNode node in _nodes)
        {
            node.Free();
            while (node.TryStartNext(out WaitingJob waiting))
            {
                DropJob(EventKind.JobReady, waiting.Job);
                node.Free();
            }
        }

        _storage?.Dispose();
    }

    public void Dispose()
    {
        _journal?.Dispose();
        _scratch.Dispose();
        _frames?.Dispose();
        _storage?.Dispose();
        _pool?.Dispose();
    }

    private RunOutcome Outcome(KeptParameters parameters)
    {
        RunOutcome outcome = _recorder.Outcome(parameters, [_sent]) with
        {
            FrontContribution = _alone.Outcome,
            Wall = Stopwatch.GetElapsedTime(_startedAt),
            Virtual = TimeSpan.FromTicks(_time.Now / TimeSpan.NanosecondsPerTick),
        };

        // Without arithmetic there is no loss, and what stands for it means nothing.
        return _settings.TimingOnly
            ? outcome with { FinalLoss = double.NaN, TestLoss = null, TrainAccuracy = null, TestAccuracy = null }
            : outcome;
    }

    private string WhoWaits() => string.Join(
        "; ",
        _actors.Where(actor => actor.Machine is not { WaitsFor.Length: 0 })
            .Select(actor => $"{_names[actor.Id.Index]} {(actor.Machine is null ? "is gone" : $"waits for {actor.Machine.WaitsFor}")}"));

    private void Happen(in SimulatedEvent what)
    {
        SimulatedActor actor = _actors[what.Actor];
        switch (what.Kind)
        {
            case EventKind.Member:
                OnMember(what.Actor, what);
                break;
            case EventKind.Spawn:
                OnSpawn(actor, what);
                break;
            case EventKind.FaultBegins:
                Begin(_request.Faults[what.Number]);
                break;
            case EventKind.SnapshotCrash when what.Life == actor.Life:
                CrashWithinSnapshot((CrashFault)_request.Faults[what.Number]);
                break;
            case EventKind.CoordinatorReplaced:
                ReplaceCoordinator(actor);
                break;
            case EventKind.StragglerNoticed when what.Life == actor.Life:
                OnStragglerNoticed(actor);
                break;
            case EventKind.PartitionNoticed:
                OnPartitionNoticed((PartitionFault)_request.Faults[what.Number]);
                break;
            case EventKind.Arrival:
            case EventKind.Joined:
            case EventKind.Moving:
            case EventKind.Suspicion:
                Offer(actor, what);
                break;
            case EventKind.JobEnd:
                OnJobEnd(actor, what);
                break;
            case EventKind.JobReady when what.Life == actor.Life:
                TakeSlot(actor, (Job)what.Object!);
                break;
            case EventKind.JobReady:
                DropJob(what.Kind, (Job)what.Object!);
                break;
            case EventKind.Free when what.Life == actor.Life:
                OnFree(actor);
                break;
            case EventKind.Persisted when what.Life != actor.Life:
                ReleaseRecord((PersistRecord)what.Object!);
                break;
            case EventKind.Timer when what.Life != actor.Life || !actor.IsCurrent(what.Number, what.Setting):
                break;
            default:
                if (what.Life == actor.Life)
                {
                    Offer(actor, what);
                }

                break;
        }
    }
}
