using System.Text.Json;
using Akka.Actor;
using Akka.Cluster;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Processes;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using AkkaCluster = Akka.Cluster.Cluster;

namespace DistTrain.Akka.Leading;

/// <summary>The cluster's singleton: takes runs from clients, one at a time, has nodes make ready, places the actors and starts the coordinator on its
/// own node. When its node is lost, the next leader asks the nodes which run they host and goes on with it from the newest snapshot, as
/// another run in the eyes of the actors, so that what the old coordinator sent is nobody's business any more.</summary>
internal sealed partial class LeaderActor : ReceiveActor, IWithTimers
{
    /// <summary>Its name below <c>/user</c>, of the singleton's manager.</summary>
    public const string Name = "leader";

    private static readonly TimeSpan DiscoverFor = TimeSpan.FromMilliseconds(1500);
    private static readonly TimeSpan PrepareFor = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ShipFor = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CollectFor = TimeSpan.FromMinutes(2);

    private readonly NodeHost _host;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly List<LeaderNode> _nodes = [];
    private Phase _phase = Phase.Discovering;
    private long _phaseSince;

    /// <param name="host">This node.</param>
    public LeaderActor(NodeHost host)
    {
        _host = host;
        Receive<Submit>(OnSubmit);
        Receive<AskStatus>(_ => Sender.Tell(new ClusterStatus(JsonSerializer.SerializeToUtf8Bytes(Report(), NodeJson.Default.StatusReport))));
        Receive<HostedRun>(OnHosted);
        Receive<Ready>(OnReady);
        Receive<Tick>(_ => OnTick());
        ReceiveMembers();
        ReceiveRunning();
    }

    private enum Phase
    {
        /// <summary>It asks who hosts which run.</summary>
        Discovering,

        /// <summary>Nothing to do.</summary>
        Idle,

        /// <summary>Nodes make ready.</summary>
        Preparing,

        /// <summary>The coordinator runs.</summary>
        Running,

        /// <summary>Nodes say what they counted.</summary>
        Ending,

        /// <summary>The client fetches the model.</summary>
        Collecting,
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _host.Leader = Self;
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer("tick", Tick.Instance, TimeSpan.FromMilliseconds(100), TickEvery);
        Enter(Phase.Discovering);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        _host.Leader = ActorRefs.Nobody;
        _host.Run?.Unlead();
    }

    private void Enter(Phase phase) => (_phase, _phaseSince) = (phase, _time.GetTimestamp());

    private bool IsOver(TimeSpan limit) => _time.GetElapsedTime(_phaseSince) > limit;

    private void OnSubmit(Submit submit)
    {
        ClusterJob job;
        try
        {
            job = ClusterJob.FromBytes(submit.Job);
        }
        catch (JsonException wrong)
        {
            Sender.Tell(new Refused($"the job cannot be read: {wrong.Message}"));
            return;
        }

        if (_phase == Phase.Discovering)
        {
            // The client asks again.
            return;
        }

        if (_job?.RunId == job.RunId && _job.Client == job.Client)
        {
            // The client heard nothing: the answer was lost, or is still to come.
            if (_phase is Phase.Running or Phase.Ending or Phase.Collecting)
            {
                _client.Tell(new Accepted(_run), _host.Node);
            }

            return;
        }

        if (_job?.RunId == job.RunId && (_stopRequested || _phase is Phase.Ending or Phase.Collecting))
        {
            // Another client resumes it; the one before does not come any more. While the run is stopping this one asks again.
            if (_phase != Phase.Collecting)
            {
                return;
            }

            Forget(isCollected: false);
        }

        if (_phase != Phase.Idle)
        {
            Sender.Tell(new Refused($"the cluster trains {_job!.Name}; expected an idle cluster: see `status`, and submit again when it is done"));
            return;
        }

        _takesOver = false;
        Begin(job, leader: 1);
    }

    /// <summary>A node that hosts a run tells of it; of several the one with the most leaders is the newest.</summary>
    private void OnHosted(HostedRun hosted)
    {
        if (_phase == Phase.Discovering && hosted.Run > 0 && (_found is null || hosted.Run > _found.Run))
        {
            _found = hosted;
        }
    }

    private void OnTick()
    {
        switch (_phase)
        {
            case Phase.Discovering when IsOver(DiscoverFor):
                Enter(Phase.Idle);
                if (_found is not null)
                {
                    ClusterJob job = ClusterJob.FromBytes(_found.Job);
                    _takesOver = true;
                    Begin(job, ClusterJob.LeaderOf(_found.Run) + 1);
                }

                break;
            case Phase.Discovering:
                foreach (LeaderNode node in _nodes)
                {
                    node.Actor.Tell(new AskRun());
                }

                break;
            case Phase.Preparing:
                LeadIfReady();
                break;
            case Phase.Running:
                FailIfNobodyWaits();
                Remind();
                break;
            case Phase.Ending when IsOver(EndFor):
                TellOver();
                break;
            case Phase.Ending:
                TellEnd();
                break;
            case Phase.Collecting when IsOver(CollectFor):
                Forget(isCollected: false);
                break;
            case Phase.Collecting:
                SendOver();
                break;
        }
    }

    /// <summary>Has every node make ready for a run.</summary>
    private void Begin(ClusterJob job, long leader)
    {
        _job = job;
        _jobBytes = job.ToBytes();
        _run = ClusterJob.RunOf(job.RunId, leader);
        _outbox = new NoteOutbox(_run);
        _client = ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(job.Client);
        Context.Watch(_client);
        (_plan, _nodeOf, _ended, _stopRequested, _lastStep, _lastCommitAt, _clientLostAt) = (null, [], null, false, job.From?.Step ?? 0, 0, 0);
        _pending.Clear();
        _counts.Clear();
        foreach (LeaderNode node in _nodes)
        {
            (node.HasAnswered, node.Index) = (false, -1);
            node.Actor.Tell(new Prepare(_run, _jobBytes));
        }

        Enter(Phase.Preparing);
    }

    private void OnReady(Ready ready)
    {
        if (ready.Run != _run || _nodes.Find(node => node.Actor.Path.Address == Sender.Path.Address || (Sender.Path.Address.HasLocalScope && node.Identity == _cluster.SelfUniqueAddress)) is not LeaderNode node)
        {
            return;
        }

        node.HasAnswered = true;
        (node.CanHost, node.HasData, node.Problem) = (ready.CanHost, ready.HasData, ready.Problem);
        (node.Capacity, node.SnapshotStep, node.Hosts) = (Math.Max(1, ready.Capacity), ready.SnapshotStep, ready.Hosts);
        if (ready.SnapshotStep > (_from?.Step ?? 0) && _phase == Phase.Preparing)
        {
            _from = JsonSerializer.Deserialize(ready.Progress, NodeJson.Default.CoordinatorProgress);
        }

        TakeKept(node, ready);
        if (_phase == Phase.Preparing)
        {
            LeadIfReady();
        }
        else if (_phase == Phase.Running && node.Index >= 0 && !node.CanHost)
        {
            // It could not be made ready again after a failure.
            Notice($"{node.Address} hosts no actors any more ({ready.Problem}); what lived there is placed anew");
            Abandon(node);
        }
        else if (_phase == Phase.Running && node.Index < 0)
        {
            // It came while the run was under way: it takes over what the next lost node leaves.
            GiveIndex(node);
            if (PlaceAll() is null)
            {
                SendTable();
            }
        }
    }

    private void LeadIfReady()
    {
        bool all = _nodes.TrueForAll(node => node.HasAnswered || !node.IsThere);
        if (!all && !IsOver(_job!.Ships ? ShipFor : PrepareFor))
        {
            foreach (LeaderNode node in _nodes.Where(node => !node.HasAnswered && node.IsThere))
            {
                node.Actor.Tell(new Prepare(_run, _jobBytes));
            }

            return;
        }

        LeaderNode? own = _nodes.Find(node => node.Identity == _cluster.SelfUniqueAddress);
        if (_host.Run is not NodeRun run || run.Job.RunId != _job!.RunId || own is null)
        {
            Refuse($"the run cannot begin on {_cluster.SelfAddress}: {own?.Problem ?? "this node is no member yet"}");
            return;
        }

        _plan = run.Plan;
        if (Missing() is string missing)
        {
            Wait(missing);
            return;
        }

        _reachNeeded = Start().Step;
        foreach (LeaderNode node in _nodes.Where(node => node.IsThere && node.CanHost).OrderBy(node => node.Address, StringComparer.Ordinal))
        {
            GiveIndex(node);
        }

        _nodeOf = [.. Enumerable.Repeat(CapacityPlacement.Nowhere, _plan.Topology.Count)];
        int[] alive = TakeOver();
        if (PlaceAll() is not string problem)
        {
            Lead(run, alive);
        }
        else if (KeepsLog && _reachNeeded > 0)
        {
            Wait($"nodes that keep what was committed up to step {_reachNeeded} ({problem})");
        }
        else
        {
            Refuse(problem);
        }
    }

    /// <summary>Where shards have copies, whoever lives under the leader before lives on where it is.</summary>
    private int[] TakeOver()
    {
        if (_plan!.Topology.Copies == 1)
        {
            return [];
        }

        foreach (LeaderNode node in _nodes.Where(node => node.Index >= 0))
        {
            foreach (int actor in node.Hosts.Where(actor => (uint)actor < (uint)_nodeOf.Length))
            {
                _nodeOf[actor] = node.Index;
            }
        }

        return [.. Enumerable.Range(1, _nodeOf.Length - 1).Where(actor => _nodeOf[actor] != CapacityPlacement.Nowhere)];
    }

    private void Lead(NodeRun run, int[] alive)
    {
        CoordinatorProgress from = Newest(_from, _job!.From) ?? new CoordinatorProgress(), start = Start();
        _snapshot = from;
        _lastStep = start.Step;
        _holder = _from is not null && from == _from
            ? HolderPath(_nodes.Find(node => node.IsThere && node.SnapshotStep == from.Step))
            : _job.Client;
        Enter(Phase.Running);
        _trace = NodeTelemetry.Traces.StartActivity("run")?.SetTag("name", _job.Name).SetTag("leader", ClusterJob.LeaderOf(_run)).SetTag("from", from.Step);
        _client.Tell(new Accepted(_run), _host.Node);
        SendTable();
        if (_takesOver)
        {
            Notice($"{_cluster.SelfAddress} goes on as leader {ClusterJob.LeaderOf(_run)} from step {start.Step}");
        }

        if (_takesOver && _plan!.Topology.Copies == 1)
        {
            Tell(Note.Of(new Recovered(0, start.Step, 0)));
        }

        run.Heed(_run);
        run.Lead(_run, KeepsLog ? start : _job.From ?? new CoordinatorProgress(), KeepsLog ? start : _takesOver || _job.From is null ? _from : from);
        for (int actor = 1; actor < _nodeOf.Length && _takesOver && _plan!.Topology.Copies > 1; actor++)
        {
            if (!alive.Contains(actor))
            {
                run.Suspect(new ActorId(actor));
            }
        }
    }

    private static CoordinatorProgress? Newest(CoordinatorProgress? one, CoordinatorProgress? other) =>
        (one?.Step ?? -1) >= (other?.Step ?? -1) ? one : other;

    private void GiveIndex(LeaderNode node)
    {
        if (node.Index < 0)
        {
            node.Index = _nodes.Max(other => other.Index) + 1;
        }
    }

    /// <summary>Gives every actor without a node one; says why when that is not possible.</summary>
    private string? PlaceAll()
    {
        LeaderNode own = _nodes.Find(node => node.Identity == _cluster.SelfUniqueAddress)!;
        LeaderNode?[] byIndex = [.. Enumerable.Range(0, _nodes.Max(node => node.Index) + 1).Select(index => _nodes.Find(node => node.Index == index))];
        _nodeOf[ActorId.Coordinator.Index] = own.Index;
        _nodeOf = CapacityPlacement.Place(
            _plan!.Topology,
            [.. byIndex.Select(node => node?.Offer ?? new NodeOffer(1, NodeRoles.None))],
            _nodeOf,
            (actor, node) => HasKept(actor, node, byIndex[node]!)
                && (_plan.Topology.RoleOf(actor) != ActorRole.LayerActor || byIndex[node]!.HasData || !NeedsData(actor)));
        int homeless = Array.FindIndex(_nodeOf, node => node == CapacityPlacement.Nowhere);
        if (homeless < 0 || HomelessAreSpare())
        {
            return null;
        }

        if (HomelessWait())
        {
            SayWaiting($"the node that keeps the log of {_plan.Topology.NameOf(new ActorId(homeless))}");
            return null;
        }

        string problems = string.Join("; ", _nodes.Where(node => node.Problem.Length > 0).Select(node => $"{node.Address}: {node.Problem}"));
        return $"no node may host {_plan.Topology.NameOf(new ActorId(homeless))}; expected a member with its role{(problems.Length > 0 ? $" and the data ({problems})" : "")}";
    }

    /// <summary>First and last stages read rows for sure, other stages by some methods.</summary>
    private bool NeedsData(ActorId actor)
    {
        Topology topology = _plan!.Topology;
        return _plan.Settings.Method.Name != "backprop"
            || topology.ShareOf(actor) >= 0
            || _plan.IsLastStage(topology.StageOf(actor).Stage);
    }

    private void Refuse(string problem)
    {
        _client.Tell(new Refused(problem), _host.Node);
        Forget(isCollected: false);
    }

    private static string HolderPath(LeaderNode? node) => node is null ? "" : $"{node.Address}/user/{NodeActor.Name}";

    /// <summary>Time to look.</summary>
    private sealed class Tick
    {
        public static Tick Instance { get; } = new();
    }
}
