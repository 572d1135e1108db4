using System.Diagnostics;
using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Processes;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Leading;

/// <summary>A run under way.</summary>
internal sealed partial class LeaderActor
{
    private static readonly TimeSpan SnapshotFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopFor = TimeSpan.FromSeconds(60);

    private readonly SortedDictionary<int, SpawnActor> _pending = [];
    private readonly SortedDictionary<string, byte[]> _counts = new(StringComparer.Ordinal);
    private HostedRun? _found;
    private ClusterJob? _job;
    private byte[] _jobBytes = [];
    private long _run, _lastStep, _lastCommitAt;
    private IActorRef _client = ActorRefs.Nobody;
    private NoteOutbox _outbox = new(0);
    private RunPlan? _plan;
    private int[] _nodeOf = [];
    private CoordinatorProgress? _from, _snapshot;
    private string _holder = "";
    private long _clientLostAt;
    private SnapshotMade? _keeping;
    private int _keepingLeft, _keptOn;
    private long _keepingSince;
    private RunEnded? _ended;
    private bool _stopRequested;
    private Activity? _trace;

    private void ReceiveRunning()
    {
        Receive<SpawnWanted>(OnSpawnWanted, wanted => wanted.Run == _run && _phase == Phase.Running);
        Receive<SpawnWanted>(_ => { });
        Receive<Spawned>(spawned => OnSpawned(spawned));
        Receive<ReportMade>(OnReport, made => made.Run == _run);
        Receive<ReportMade>(_ => { });
        Receive<SnapshotMade>(OnSnapshot);
        Receive<SnapshotComplete>(OnComplete);
        Receive<NodeFailed>(OnNodeFailed);
        Receive<StopRun>(stop => RequestStop(stop.RunId));
        Receive<Terminated>(lost => OnClientLost(lost.ActorRef));
        Receive<NotesTaken>(taken => _outbox.Taken(taken.Sequence), taken => taken.Run == _run);
        Receive<NotesTaken>(_ => { });
        Receive<RunCounts>(OnCounts);
        Receive<RunCollected>(collected => Forget(collected.HasModel), collected => _phase == Phase.Collecting && collected.RunId == _job?.RunId);
        Receive<RunCollected>(_ => { });
    }

    private IEnumerable<LeaderNode> Taking => _nodes.Where(node => node.IsThere && node.Index >= 0);

    private void SendTable()
    {
        string[] addresses = new string[_nodes.Max(node => node.Index) + 1];
        Array.Fill(addresses, "");
        foreach (LeaderNode node in Taking)
        {
            addresses[node.Index] = node.Address;
        }

        Table table = new(_run, addresses, _nodeOf);
        foreach (LeaderNode node in Taking)
        {
            node.Actor.Tell(table, _host.Node);
        }
    }

    private void OnSpawnWanted(SpawnWanted wanted)
    {
        bool restores = _plan!.Topology.RoleOf(wanted.Actor) == ActorRole.Shard;
        SpawnActor spawn = new(_run, wanted.Actor.Index, wanted.Incarnation, restores ? _snapshot!.Step : 0, _holder);
        _pending[wanted.Actor.Index] = spawn;
        SendSpawn(spawn);
    }

    /// <summary>Who has no node waits for one.</summary>
    private void SendSpawn(SpawnActor spawn) =>
        _nodes.Find(node => node.Index >= 0 && node.Index == _nodeOf[spawn.Actor])?.Actor.Tell(spawn, Self);

    private void OnSpawned(Spawned spawned)
    {
        if (spawned.Run == _run && _pending.TryGetValue(spawned.Actor, out SpawnActor? spawn) && spawn.Incarnation == spawned.Incarnation)
        {
            _pending.Remove(spawned.Actor);
            _host.Run?.Joined(new ActorId(spawned.Actor), spawned.Incarnation);
        }
    }

    /// <summary>Says again what may have been lost.</summary>
    private void Remind()
    {
        if (_pending.Count > 0)
        {
            SendTable();
            foreach (SpawnActor spawn in _pending.Values)
            {
                SendSpawn(spawn);
            }
        }

        SendWaiting();
        if (_keeping is not null && _time.GetElapsedTime(_keepingSince) > SnapshotFor)
        {
            EndKeeping();
        }
    }

    private void SendWaiting()
    {
        if (_outbox.Lost > 0)
        {
            _client.Tell(new NotesLost(_run, _outbox.Lost), _host.Node);
        }

        foreach (RunNote note in _outbox.Waiting)
        {
            _client.Tell(note, _host.Node);
        }
    }

    private void OnReport(ReportMade made)
    {
        switch (made.Report)
        {
            case StepCommitted step:
                NodeTelemetry.Steps.Add(1);
                NodeTelemetry.StepTime.Record(_lastCommitAt == 0 ? 0 : _time.GetElapsedTime(_lastCommitAt).TotalMilliseconds);
                _trace?.AddEvent(new ActivityEvent("step", tags: new ActivityTagsCollection { ["step"] = step.Step, ["loss"] = step.LossSum / step.Rows }));
                (_lastStep, _lastCommitAt) = (step.Step, _time.GetTimestamp());
                _reachNeeded = step.Step;
                break;
            case TrainsAlone alone:
                foreach (LeaderNode node in Taking)
                {
                    node.Actor.Tell(new TrainAlone(_run, alone.Alone));
                }

                break;
            case Recovered recovered:
                NodeTelemetry.Recoveries.Add(1);
                _trace?.AddEvent(new ActivityEvent("recovered", tags: new ActivityTagsCollection { ["step"] = recovered.Step, ["redone"] = recovered.StepsRedone }));
                break;
            case RunEnded ended:
                End(ended);
                return;
        }

        Tell(Note.Of(made.Report));
    }

    private void Notice(string text)
    {
        _host.Log(text);
        Tell(new Note(NoteKind.Notice) { Text = text });
    }

    private void Tell(Note note) =>
        _client.Tell(_outbox.Add(JsonSerializer.SerializeToUtf8Bytes(note, ControlJson.Default.Note)), _host.Node);

    /// <summary>Has every node make a snapshot whole whose slices it keeps already.</summary>
    private void OnSnapshot(SnapshotMade made)
    {
        if (made.Run != _run || _phase != Phase.Running)
        {
            return;
        }

        EndKeeping();
        LeaderNode[] nodes = [.. Taking];
        (_keeping, _keepingLeft, _keptOn, _keepingSince) = (made, nodes.Length, 0, _time.GetTimestamp());
        byte[] progress = JsonSerializer.SerializeToUtf8Bytes(made.Progress, NodeJson.Default.CoordinatorProgress);
        foreach (LeaderNode node in nodes)
        {
            node.Actor.Tell(new CompleteSnapshot(_run, made.Progress.Step, progress));
        }
    }

    private void OnComplete(SnapshotComplete complete)
    {
        if (_keeping is null || complete.Run != _run || complete.Step != _keeping.Progress.Step)
        {
            return;
        }

        if (complete.Complete && Find(Sender) is LeaderNode node)
        {
            node.SnapshotStep = complete.Step;
            _keptOn++;
            (_snapshot, _holder) = (_keeping.Progress, HolderPath(node));
        }

        if (--_keepingLeft == 0)
        {
            EndKeeping();
        }
    }

    private LeaderNode? Find(IActorRef sender) => _nodes.Find(node =>
        node.IsThere && (sender.Path.Address.HasLocalScope ? node.Identity == _cluster.SelfUniqueAddress : node.Actor.Path.Address == sender.Path.Address));

    private void EndKeeping()
    {
        SnapshotMade? kept = _keeping;
        _keeping = null;
        kept?.Kept(_keptOn > 0 ? null : "no node could keep a part of the snapshot");
    }

    private void OnNodeFailed(NodeFailed failed)
    {
        if (failed.Run != _run || _phase != Phase.Running || Find(Sender) is not LeaderNode node)
        {
            return;
        }

        if (failed.Problem.Length > 0)
        {
            Fail($"{node.Address}: {failed.Problem}");
            return;
        }

        Notice($"the actors on {node.Address} failed and are started again");
        if (node.Identity == _cluster.SelfUniqueAddress)
        {
            // The coordinator is one of them: what follows is what follows the loss of its node.
            _takesOver = true;
            Begin(_job!, ClusterJob.LeaderOf(_run) + 1);
            return;
        }

        SendTable();
        for (int actor = 1; actor < _nodeOf.Length; actor++)
        {
            if (_nodeOf[actor] == node.Index)
            {
                _host.Run?.Suspect(new ActorId(actor));
            }
        }
    }

    private void Fail(string problem) => End(new RunEnded(RunEnd.Failed, _lastStep, problem));

    private void RequestStop(long runId)
    {
        if (_phase == Phase.Preparing && _job?.RunId == runId)
        {
            Refuse("stopped before anything was started");
        }
        else if (_phase == Phase.Running && _job?.RunId == runId && !_stopRequested)
        {
            _stopRequested = true;
            _host.Run?.Stop();
        }
    }

    /// <summary>Nobody waits for the result: the run stops at a committed step and gives the cluster free.</summary>
    private void OnClientLost(IActorRef client)
    {
        if (!client.Equals(_client) || _phase == Phase.Idle)
        {
            return;
        }

        _host.Log($"the client of {_job?.Name} is gone; the run stops");
        if (_phase == Phase.Running)
        {
            _clientLostAt = _time.GetTimestamp();
            RequestStop(_job!.RunId);
        }
        else
        {
            Forget(isCollected: false);
        }
    }

    private StatusReport Report()
    {
        StatusMember[] members =
        [
            .. _nodes.OrderBy(node => node.Address, StringComparer.Ordinal).Select(node => new StatusMember(
                node.Address, node.State, node.Roles, [.. ActorsOn(node.Index)])),
        ];
        StatusRun? run = _job is null
            ? null
            : new StatusRun(
                _job.RunId,
                _job.Name,
                _lastStep,
                _plan?.TotalSteps ?? 0,
                ClusterJob.LeaderOf(_run),
                _lastCommitAt == 0 ? 0 : _time.GetElapsedTime(_lastCommitAt).TotalSeconds,
                _snapshot?.Step ?? 0);
        return new StatusReport(_cluster.SelfAddress.ToString(), members, run, _host.Refusals);
    }

    private IEnumerable<string> ActorsOn(int node) => _plan is null || node < 0 || _phase == Phase.Idle
        ? []
        : Enumerable.Range(0, _nodeOf.Length).Where(actor => _nodeOf[actor] == node).Select(actor => _plan.Topology.NameOf(new ActorId(actor)));
}
