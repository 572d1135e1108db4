using DistTrain.Akka.Wire;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Nodes;

/// <summary>The actors of one run on one node: their cells, and what passes between them and the other nodes.</summary>
internal sealed partial class NodeRun : IActorHost, IDisposable
{
    private readonly RunPlan _plan;
    private readonly BufferPool _pool = new();
    private readonly RunRequest _request;
    private readonly RecordKeeper _shards;
    private readonly ComputeCrew _crew;
    private readonly ActorCell?[] _cells;
    private readonly EarlyMail?[] _early;
    private readonly (long Run, int Incarnation)[] _started;
    private readonly AloneCounter _alone;
    private readonly INodeEvents _events;
    private readonly PoolBytes _bytes;
    private readonly Lock _lock = new(), _reportLock = new();
    private volatile RunTable _table = RunTable.Empty;
    private long _run;
    private bool _ended;

    /// <param name="job">The run.</param>
    /// <param name="experiment">What the job's experiment says.</param>
    /// <param name="folder">Where this node keeps the run.</param>
    /// <param name="computeThreads">Threads that compute.</param>
    /// <param name="events">Hears what concerns the cluster.</param>
    /// <param name="offer">Has a file of a snapshot kept on other nodes too; returns when they have it, or will not.</param>
    public NodeRun(
        ClusterJob job, ChildExperiment experiment, string folder, int computeThreads, INodeEvents events, Action<NodeRun, long, string> offer)
    {
        (Job, Folder, _events, _bytes) = (job, new SnapshotFolder(folder), events, new PoolBytes(_pool));
        Packers = new ThreadLocal<EnvelopePacker>(() => new EnvelopePacker(_bytes));
        RunRequest request = RequestOf(job, experiment, computeThreads) with
        {
            JournalFolder = folder, Disk = new KeptElsewhereDisk(path => OnNamed(path, offer)),
        };
        _request = request;
        _plan = new RunPlan(request.Settings, job.Data.TrainRows, job.Data.TestRows);
        _alone = new AloneCounter(_plan);
        _shards = OpenShardsLog(request, folder);
        IJobRunner runner = request.Settings.Precision == Precision.Float32
            ? new JobRunner<float>(request, _plan, _pool, _shards.Storage.Snapshots)
            : new JobRunner<double>(request, _plan, _pool, _shards.Storage.Snapshots);
        _crew = new ComputeCrew(computeThreads, runner) { OnFailure = OnFailure };
        _cells = new ActorCell[_plan.Topology.Count];
        _early = new EarlyMail[_plan.Topology.Count];
        _started = new (long Run, int Incarnation)[_plan.Topology.Count];
    }

    /// <summary>What is trained.</summary>
    public ClusterJob Job { get; }

    /// <summary>The folder below which the run's data files are.</summary>
    public required string Datasets { get; init; }

    /// <summary>Why they are not all there; empty when they are. Looked at once, for it takes the time to read them all.</summary>
    public required string DataProblem { get; init; }

    /// <summary>Packs what goes to other nodes as a message, with memory of each thread's own.</summary>
    public ThreadLocal<EnvelopePacker> Packers { get; }

    /// <summary>The plan.</summary>
    public RunPlan Plan => _plan;

    /// <summary>The snapshots that are kept here.</summary>
    public SnapshotFolder Folder { get; }

    /// <summary>The run's number under the newest leader that was heard of.</summary>
    public long Run => Interlocked.Read(ref _run);

    /// <summary>Buffers alive now.</summary>
    public int LiveBuffers => _pool.Live;

    /// <summary>The pool, for whoever reads streams.</summary>
    public BufferPool Pool => _pool;

    /// <summary>The other nodes of the run that live.</summary>
    public IEnumerable<NodePeer> Peers => _table.Peers.OfType<NodePeer>();

    /// <summary>A leader speaks. False when a later one has spoken before, for then this one was replaced.</summary>
    public bool Heed(long run)
    {
        lock (_lock)
        {
            if (run < _run)
            {
                return false;
            }

            Interlocked.Exchange(ref _run, run);
            return true;
        }
    }

    /// <summary>Takes over who lives where. Actors that moved away die here.</summary>
    public void Place(RunTable table)
    {
        RunTable before = _table;
        _table = table;
        lock (_lock)
        {
            for (int actor = 1; actor < _cells.Length; actor++)
            {
                if (_cells[actor] is ActorCell cell && table.NodeOf[actor] != table.Self)
                {
                    cell.Kill();
                    _started[actor] = default;
                }
            }
        }

        foreach (NodePeer peer in before.Peers.OfType<NodePeer>().Except(table.Peers.OfType<NodePeer>()))
        {
            peer.Dispose();
        }
    }

    /// <summary>The nodes as placed last.</summary>
    public RunTable Table => _table;

    /// <summary>The actors that were started and live here, by index.</summary>
    public int[] Hosted
    {
        get
        {
            RunTable table = _table;
            lock (_lock)
            {
                return [.. Enumerable.Range(1, _started.Length - 1).Where(actor =>
                    _started[actor].Incarnation > 0 && actor < table.NodeOf.Length && table.NodeOf[actor] == table.Self)];
            }
        }
    }

    /// <summary>The incarnation in which an actor was started here; 0 for none.</summary>
    public int IncarnationOf(ActorId actor)
    {
        lock (_lock)
        {
            return _started[actor.Index].Incarnation;
        }
    }

    /// <summary>Starts the coordinator here.</summary>
    /// <param name="run">The run under its leader.</param>
    /// <param name="start">What the run began with.</param>
    /// <param name="kept">The newest snapshot's progress; null for none.</param>
    public void Lead(long run, CoordinatorProgress start, CoordinatorProgress? kept)
    {
        OpenCoordinatorLog(run, kept ?? start);
        int before = _plan.Topology.Copies > 1 ? (int)ClusterJob.LeaderOf(run) - 1 : 0;
        CellOf(ActorId.Coordinator).Start(before == 0
            ? Machines.Coordinator(_plan, ActorsRun(run), kept ?? start, null)
            : Machines.NextCoordinator(_plan, ActorsRun(run), start, kept, null, before));
    }

    /// <summary>To the coordinator: an actor was started as it asked.</summary>
    public void Joined(ActorId actor, int incarnation) =>
        CellOf(ActorId.Coordinator).Post(new Stimulus(StimulusKind.Joined) { Actor = actor, Incarnation = incarnation });

    /// <summary>Starts an actor here.</summary>
    public void Start(ActorId actor, int incarnation, long run)
    {
        lock (_lock)
        {
            // A leader that heard no answer says it again.
            if (_started[actor.Index] == (run, incarnation))
            {
                return;
            }

            _started[actor.Index] = (run, incarnation);
        }

        CellOf(actor).Start(Machines.Start(_plan, actor, incarnation, ActorsRun(run)));
        EarlyOf(actor)?.OnSpawned(ActorsRun(run), incarnation, Post);
    }

    /// <summary>To the coordinator: an actor is suspected.</summary>
    public void Suspect(ActorId actor) => CellOf(ActorId.Coordinator).Post(new Stimulus(StimulusKind.Suspected) { Actor = actor });

    /// <summary>To the coordinator: stop at a committed step.</summary>
    public void Stop() => CellOf(ActorId.Coordinator).Post(new Stimulus(StimulusKind.StopRequested));

    /// <summary>The coordinator is led elsewhere from now on.</summary>
    public void Unlead() => _cells[ActorId.Coordinator.Index]?.Kill();

    /// <summary>An envelope came by Akka.Remote.</summary>
    public void Receive(ArrivedEnvelope arrived) => Receive(arrived.Open(_bytes));

    /// <summary>An envelope came; its buffers carry one reference each.</summary>
    public void Receive(Envelope envelope)
    {
        if ((uint)envelope.To.Index >= (uint)_cells.Length)
        {
            Release(envelope);
            return;
        }

        if (envelope.Message is BeginEpoch or Expand or Coefficients or ExpandedShare or Expanded)
        {
            // They belong to the time after the time alone, and come before the leader can say that it is over.
            SetAlone(false);
        }

        if (EarlyOf(envelope.To) is EarlyMail early)
        {
            early.OnMessage(envelope, Post);
        }
        else
        {
            Post(envelope);
        }
    }

    /// <summary>The final-layer actor trains alone from now on, or no longer.</summary>
    public void SetAlone(bool alone)
    {
        lock (_reportLock)
        {
            _alone.On(new TrainsAlone(alone));
        }
    }

    public void Deliver(Envelope envelope)
    {
        _alone.See(envelope);
        RunTable table = _table;
        int node = table.NodeOf.Length == 0 ? -1 : table.NodeOf[envelope.To.Index];
        if (node == table.Self)
        {
            Receive(envelope);
        }
        else if (node >= 0 && table.Peers[node] is NodePeer peer)
        {
            peer.Send(envelope);
        }
        else
        {
            // Its node is gone and it has no other yet. Lost messages are sent again.
            Release(envelope);
        }
    }

    public void Report(Report report)
    {
        lock (_reportLock)
        {
            _alone.On(report);
            _events.OnReport(Run, report);
        }
    }

    public void Spawn(ActorId actor, int incarnation) => _events.OnSpawn(Run, actor, incarnation);

    /// <summary>Stops computing; what was sent, as a note.</summary>
    public Note End()
    {
        Quiesce();
        MessageCounters[] counters = [.. _cells.OfType<ActorCell>().Select(cell => cell.Sent)];
        return new Note(NoteKind.Counts)
        {
            Messages = new SortedDictionary<string, long>(MessageCounters.Sum(counters).ToDictionary(), StringComparer.Ordinal),
            Bytes = counters.Sum(counter => counter.Bytes),
            MessagesWhileAlone = _alone.Outcome?.MessagesWhileAlone ?? 0,
        };
    }

    public void Dispose()
    {
        Quiesce();
        foreach (NodePeer peer in Peers)
        {
            peer.Dispose();
        }

        foreach (ActorCell? cell in _cells)
        {
            cell?.Dispose();
        }

        _shards.Dispose();
        _lead?.Dispose();
    }

    private static RunRequest RequestOf(ClusterJob job, ChildExperiment experiment, int computeThreads)
    {
        NetworkSpec network = experiment.Settings.Network with { Inputs = job.Data.Inputs };
        return new RunRequest
        {
            Settings = experiment.Settings with { Network = network, Seed = job.Seed },
            Data = RunData.Deferred(job.Precision, job.Data, experiment.LoadData),
            InitialWeights = experiment.ReadInitialWeights(network),
            ComputeThreads = computeThreads,
            Byzantine = experiment.Byzantine,
        };
    }

    /// <summary>
    /// The run as envelopes name it. Where shards have copies, actors live on under the next coordinator, which epochs tell from the one before; where not, everybody
    /// is started anew, in another run.
    /// </summary>
    private long ActorsRun(long run) => _plan.Topology.Copies > 1 ? ClusterJob.RunOf(ClusterJob.IdOf(run), 1) : run;

    private void OnNamed(string path, Action<NodeRun, long, string> offer)
    {
        if (SnapshotFolder.StepOfPart(path) is long step)
        {
            offer(this, step, Path.GetFileName(path));
        }
    }

    private ActorCell CellOf(ActorId actor)
    {
        lock (_lock)
        {
            return _cells[actor.Index] ??= new ActorCell(actor, this, _crew, _pool, TimerThread.Shared);
        }
    }

    private EarlyMail? EarlyOf(ActorId actor)
    {
        if (actor == ActorId.Coordinator)
        {
            return null;
        }

        lock (_lock)
        {
            return _early[actor.Index] ??= new EarlyMail();
        }
    }

    private void Post(Envelope envelope) => CellOf(envelope.To).Post(Stimulus.Arrived(envelope));

    private void Release(Envelope envelope)
    {
        _pool.Release(envelope.First);
        _pool.Release(envelope.Second);
    }

    private void Quiesce()
    {
        lock (_lock)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
        }

        _crew.Dispose();
    }

    private void OnFailure(Exception exception) => _events.OnFailure(
        Job.RunId, exception is InvalidInputException ? exception.Message : exception.ToString(), exception is InvalidInputException);
}
