using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Numerics;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Nodes;

/// <summary>
/// A node's voice in the cluster: hosts a run's actors as the leader says, serves snapshots and tickets to other nodes, and passes what
/// clients want on to the leader, wherever that is.
/// </summary>
internal sealed class NodeActor : ReceiveActor, IWithTimers
{
    /// <summary>Its name below <c>/user</c>.</summary>
    public const string Name = "node";

    /// <summary>Failures of a run on one node before it gives up: its fault is not passing.</summary>
    public const int FailuresMax = 3;

    /// <summary>Wait before the first restart; each later one waits twice as long, for what it needs may be busy.</summary>
    private static readonly TimeSpan RestartFirst = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan HoldTimeout = TimeSpan.FromSeconds(5);

    private readonly NodeHost _host;
    private readonly IActorRef _leader;
    private readonly Queue<(object Message, IActorRef Sender)> _waiting = new();
    private IActorRef _asked = ActorRefs.Nobody;
    private Table? _table;
    private Task<bool> _fetched = Task.FromResult(true);
    private (long RunId, long Step) _fetching;
    private int _failures;
    private bool _making;

    /// <param name="host">The node.</param>
    /// <param name="leader">The way to the leader.</param>
    public NodeActor(NodeHost host, IActorRef leader)
    {
        (_host, _leader) = (host, leader);
        Receive<ArrivedEnvelope>(arrived => _host.Run?.Receive(arrived), arrived => _host.Run?.Job.RunId == ClusterJob.IdOf(arrived.Run));
        Receive<ArrivedEnvelope>(_ => { });
        Receive<RefusedMessage>(refused => _host.Refuse($"a message '{refused.Manifest}': {refused.Problem}"));
        Receive<Submit>(_leader.Forward);
        Receive<StopRun>(_leader.Forward);
        Receive<RunCollected>(_leader.Forward);
        Receive<NotesTaken>(_leader.Forward);
        Receive<AskStatus>(_leader.Forward);
        Receive<OpenStream>(open => Sender.Tell(_host.TicketFor(open.RunId)));
        Receive<StreamChunk>(OnChunk);
        Receive<ChunkCredit>(_host.Chunks.OnCredit);
        Receive<FetchPart>(wanted => Sender.Tell(
            _host.Run?.Job.RunId == wanted.RunId ? _host.Run.Folder.Read(wanted) : new Part(wanted.RunId, wanted.Step, wanted.Name, wanted.Offset, -1, [])));
        Receive<AskRun>(_ => Sender.Tell(_host.Run is NodeRun run ? new HostedRun(run.Run, run.Job.ToBytes()) : new HostedRun(0, [])));
        Receive<Prepare>(OnPrepare);
        Receive<RunMade>(OnMade);
        Receive<RunBroke>(OnBroke);
        Receive<RestartDue>(due => Make(due.Number, due.Job));
        Receive<ForgetRun>(OnForget);
        Receive<FindKept>(OnFindKept);
        Receive<Table>(table => WhenMade(table, table.Run, run => Place(run, table)));
        Receive<SpawnActor>(spawn => WhenMade(spawn, spawn.Run, run => OnSpawn(run, spawn)));
        Receive<SnapshotFetched>(fetched => WhenMade(fetched, fetched.Spawn.Run, run => Start(run, fetched.Spawn)));
        Receive<TrainAlone>(alone => WhenMade(alone, alone.Run, run => run.SetAlone(alone.On)));
        Receive<PartKept>(OnPartKept);
        Receive<CompleteSnapshot>(OnComplete);
        Receive<EndRun>(OnEnd);
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => _host.Node = Self;

    private void OnChunk(StreamChunk chunk)
    {
        IActorRef writer = Sender;
        _host.Chunks.OnChunk(chunk, _host.Tickets, credit => writer.Tell(credit, ActorRefs.NoSender), _host.ReadStream);
    }

    /// <summary>Makes ready for a run; where it is hosted already, a new leader only asks how far it is.</summary>
    private void OnPrepare(Prepare prepare)
    {
        if (_making)
        {
            if (!_waiting.Any(waiting => waiting.Message is Prepare before && before.Run == prepare.Run))
            {
                // The leader says it every second until it has an answer.
                _waiting.Enqueue((prepare, Sender));
            }

            return;
        }

        ClusterJob job;
        try
        {
            job = ClusterJob.FromBytes(prepare.Job);
        }
        catch (JsonException wrong)
        {
            Sender.Tell(new Ready(prepare.Run, false, $"the job cannot be read: {wrong.Message}", false, 0, -1, [], [], []));
            return;
        }

        _asked = Sender;
        if (_host.Run is NodeRun run && run.Job.RunId == job.RunId)
        {
            Tell(prepare.Run, run);
            return;
        }

        _failures = 0;
        Make(prepare.Run, job);
    }

    private void Make(long number, ClusterJob job)
    {
        _host.Run?.Dispose();
        _host.Run = null;
        _making = true;
        NodeHost host = _host;
        IActorRef self = Self;
        IActorRef client = ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(job.Client);
        Task.Factory.StartNew(
            () => Made(host, number, job, client), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .ContinueWith(made => self.Tell(made.Result, ActorRefs.NoSender), TaskScheduler.Default);
    }

    private static RunMade Made(NodeHost host, long number, ClusterJob job, IActorRef client)
    {
        try
        {
            string folder = KeptRun.FolderOf(host.Settings.DataFolder, job.RunId);
            Directory.CreateDirectory(folder);
            KeptRuns.Bound(host.Settings.DataFolder, job.RunId, host.Settings.KeptRuns, host.Log);
            (string datasets, string missing) = DataFiles.Find(job, host.Settings.DatasetsFolder, Path.Combine(folder, "datasets"), client);
            ChildExperiment experiment = host.ReadExperiment(job.Experiment, datasets);
            int threads = job.ComputeThreads > 0 ? job.ComputeThreads : host.Settings.ComputeThreads;
            return new RunMade(number, job, new NodeRun(job, experiment, folder, threads, host, SnapshotOffer.ToPeers) { Datasets = datasets, DataProblem = missing }, "");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Whatever it is, the leader must hear of it, for it waits.
            bool isInput = failure is InvalidInputException or IOException or UnauthorizedAccessException;
            return new RunMade(number, job, null, isInput ? failure.Message : failure.ToString());
        }
    }

    private void OnMade(RunMade made)
    {
        _making = false;
        _host.Run = made.Run;
        if (made.Run is NodeRun run)
        {
            Tell(made.Number, run);
            if (_table is not null && ClusterJob.IdOf(_table.Run) == run.Job.RunId)
            {
                Place(run, _table);
            }
        }
        else
        {
            _asked.Tell(new Ready(made.Number, false, made.Problem, false, 0, -1, [], [], []));
        }

        while (!_making && _waiting.TryDequeue(out (object Message, IActorRef Sender) next))
        {
            Self.Tell(next.Message, next.Sender);
        }
    }

    private void Tell(long number, NodeRun run)
    {
        CoordinatorProgress? newest = run.Folder.Newest;
        byte[] progress = newest is null ? [] : JsonSerializer.SerializeToUtf8Bytes(newest, NodeJson.Default.CoordinatorProgress);
        _asked.Tell(new Ready(number, run.DataProblem.Length == 0, run.DataProblem, true, _host.Settings.Capacity, newest?.Step ?? -1, progress, run.Hosted, run.Plan.KeepsLog ? ToBytes(run.Kept) : []));
    }

    /// <summary>
    /// Supervision: a run that broke here is made anew after a while, and the leader has its actors started again with new incarnations. What is for it meanwhile
    /// waits.
    /// </summary>
    private void OnBroke(RunBroke broke)
    {
        if (_host.Run is not NodeRun run || run.Job.RunId != broke.RunId || _making)
        {
            return;
        }

        _host.Log(broke.Problem);
        bool isFinal = broke.IsInput || ++_failures > FailuresMax;
        _leader.Tell(new NodeFailed(run.Run, isFinal ? broke.Problem : ""), Self);
        if (!isFinal)
        {
            _making = true;
            _host.Run = null;
            run.Dispose();
            TimeSpan wait = RestartFirst * Math.Pow(2, _failures - 1);
            Timers.StartSingleTimer("restart", new RestartDue(run.Run, run.Job), wait);
        }
    }

    private void OnForget(ForgetRun forget)
    {
        if (_making)
        {
            _waiting.Enqueue((forget, Sender));
        }
        else if (_host.Run is NodeRun run && run.Job.RunId == forget.RunId)
        {
            _host.Run = null;
            run.Dispose();
            if (!forget.KeepsFiles)
            {
                run.Folder.Delete();
            }
        }
    }

    private void OnFindKept(FindKept find)
    {
        KeptRun kept = KeptRun.Nothing;
        try
        {
            // The files of a run that is hosted are its own.
            string folder = KeptRun.FolderOf(_host.Settings.DataFolder, find.RunId);
            (long leader, CoordinatorProgress? committed) = _host.Run is NodeRun run && run.Job.RunId == find.RunId
                ? (run.Kept.Leader, run.Kept.Committed)
                : KeptRun.Coordinator(folder);
            kept = new KeptRun(leader, StartingPoint.Newest(Directory.Exists(folder) ? SnapshotFiles.Newest(folder) : null, committed), []);
        }
        catch (Exception damaged) when (damaged is InvalidInputException or IOException or UnauthorizedAccessException)
        {
            _host.Log(damaged.Message);
        }

        Sender.Tell(new Kept(find.RunId, ToBytes(kept)));
    }

    private static byte[] ToBytes(KeptRun kept) => JsonSerializer.SerializeToUtf8Bytes(kept, NodeJson.Default.KeptRun);

    /// <summary>Does something with the run, once it is there, if a leader that was not replaced says so.</summary>
    private void WhenMade(object message, long number, Action<NodeRun> act)
    {
        if (_making)
        {
            _waiting.Enqueue((message, Sender));
        }
        else if (_host.Run is NodeRun run && run.Job.RunId == ClusterJob.IdOf(number) && run.Heed(number))
        {
            act(run);
        }
    }

    private void Place(NodeRun run, Table table)
    {
        _table = table;
        RunTable before = run.Table;
        string self = global::Akka.Cluster.Cluster.Get(Context.System).SelfAddress.ToString();
        NodePeer?[] peers = new NodePeer?[table.Nodes.Length];
        for (int node = 0; node < peers.Length; node++)
        {
            string address = table.Nodes[node];
            if (address.Length > 0 && address != self)
            {
                peers[node] = node < before.Peers.Length && before.Peers[node]?.Address == address ? before.Peers[node] : PeerAt(address, run);
            }
        }

        run.Place(new RunTable(Array.IndexOf(table.Nodes, self), peers, table.NodeOf));
    }

    private NodePeer PeerAt(string address, NodeRun run)
    {
        IActorRef actor = ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef($"{address}/user/{Name}");
        return new NodePeer(address, actor, ending => _host.OpenStream(actor, run.Job.RunId, ending), run.Pool, run.Packers);
    }

    private void OnSpawn(NodeRun run, SpawnActor spawn)
    {
        if (spawn.RestoreStep == 0 || run.Folder.IsWhole(spawn.RestoreStep))
        {
            Start(run, spawn);
            return;
        }

        // Whoever moves here needs what the nodes before have kept.
        IActorRef holder = ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(spawn.Holder), self = Self, sender = Sender;
        (long RunId, long Step) wanted = (run.Job.RunId, spawn.RestoreStep);
        if (_fetched.IsCompleted || wanted != _fetching)
        {
            // Actors that move together want the same files, and the leader asks again while they are on their way.
            _fetching = wanted;
            _fetched = PartFetcher.FetchSnapshotAsync(holder, run.Job.RunId, spawn.RestoreStep, run.Plan.Slices.Count, run.Folder);
        }

        // Where it fails, the leader asks again, unless nobody has it: a shard comes back from its node's log then.
        bool hasLog = run.Plan.KeepsLog && !run.Job.HoldsSnapshot;
        _fetched.ContinueWith(
            fetched =>
            {
                if (hasLog || fetched is { IsCompletedSuccessfully: true, Result: true })
                {
                    self.Tell(new SnapshotFetched(spawn), sender);
                }
                else
                {
                    _host.Log($"the snapshot of step {spawn.RestoreStep} could not be fetched from {spawn.Holder}; it is asked for again");
                }
            },
            TaskScheduler.Default);
    }

    private void Start(NodeRun run, SpawnActor spawn)
    {
        run.Start(new ActorId(spawn.Actor), spawn.Incarnation, spawn.Run);
        Sender.Tell(new Spawned(spawn.Run, spawn.Actor, spawn.Incarnation));
    }

    private void OnPartKept(PartKept kept)
    {
        if (_host.Run is not NodeRun run || run.Job.RunId != kept.RunId)
        {
            Sender.Tell(new PartHeld(kept.RunId, kept.Step, kept.Name));
            return;
        }

        IActorRef holder = Sender;
        IActorRef source = ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef($"{Sender.Path.Address}/user/{Name}");
        PartFetcher.FetchAsync(source, kept.RunId, kept.Step, kept.Name, run.Folder).WaitAsync(HoldTimeout).ContinueWith(
            _ => holder.Tell(new PartHeld(kept.RunId, kept.Step, kept.Name)),
            TaskScheduler.Default);
    }

    private void OnComplete(CompleteSnapshot complete) => WhenMade(complete, complete.Run, run =>
    {
        bool isWhole = false;
        try
        {
            CoordinatorProgress? progress = JsonSerializer.Deserialize(complete.Progress, NodeJson.Default.CoordinatorProgress);
            isWhole = progress is not null && run.Complete(progress);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException)
        {
            _host.Log($"snapshot of step {complete.Step}: {problem.Message}");
        }

        Sender.Tell(new SnapshotComplete(complete.Run, complete.Step, isWhole));
    });

    private void OnEnd(EndRun end) => WhenMade(end, end.Run, run =>
    {
        IActorRef leader = Sender;
        Task.Factory.StartNew(run.End, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ContinueWith(
            ended => leader.Tell(new RunCounts(end.Run, JsonSerializer.SerializeToUtf8Bytes(ended.Result, ControlJson.Default.Note))),
            TaskScheduler.Default);
    });
}
