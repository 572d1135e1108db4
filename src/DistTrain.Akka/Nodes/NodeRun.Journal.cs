using DistTrain.Engines;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Storage;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Nodes;

/// <summary>What a node keeps of a run: snapshots, and where the run asks for it the log of its shards and of the coordinator that is, or was, here.</summary>
internal sealed partial class NodeRun
{
    private long[] _reach = [];
    private RecordKeeper? _lead;
    private long _leader;
    private CoordinatorProgress? _committedBefore;

    /// <summary>What this node's disk has of the run.</summary>
    public KeptRun Kept
    {
        get
        {
            lock (_lock)
            {
                return new KeptRun(_leader, _lead?.Storage.ForNextCoordinator().From is { Step: > 0 } from ? from : _committedBefore, [.. _reach]);
            }
        }
    }

    /// <summary>Makes a snapshot whole here; false when a part of it is missing.</summary>
    public bool Complete(CoordinatorProgress progress)
    {
        if (!Folder.HasParts(progress.Step, _plan.Slices.Count))
        {
            return false;
        }

        _shards.Storage.Snapshots.Complete(progress);
        _shards.Storage.OnSnapshot(progress.Step);
        lock (_lock)
        {
            for (int shard = 0; shard < _reach.Length; shard++)
            {
                _reach[shard] = Math.Max(_reach[shard], progress.Step);
            }
        }

        return true;
    }

    public bool Persist(ActorCell cell, int life, PersistRecord record)
    {
        RecordKeeper? keeper = !_plan.KeepsLog ? null : cell.Id == ActorId.Coordinator ? _lead : _shards;
        if (record is SnapshotRecord snapshot)
        {
            _events.OnSnapshot(Run, snapshot.Progress, problem => OnSnapshotKept(cell, life, record, problem, keeper));
        }
        else if (keeper is not null)
        {
            Keep(keeper, cell, life, record);
        }
        else
        {
            // Durability memory: a record is kept once it is made. Snapshots alone outlive the node.
            RunStorage.Release(record, _pool);
            return true;
        }

        return false;
    }

    private RecordKeeper OpenShardsLog(RunRequest request, string folder)
    {
        if (!_plan.KeepsLog)
        {
            return KeeperOf(request, null);
        }

        (_leader, _committedBefore) = KeptRun.Coordinator(folder);
        _reach = ReachOf(folder);
        return KeeperOf(request, KeptRun.ShardsPart);
    }

    /// <summary>Each coordinator of a run has a log of its own, so that one that was replaced writes nothing into its successor's.</summary>
    private void OpenCoordinatorLog(long run, CoordinatorProgress start)
    {
        if (!_plan.KeepsLog)
        {
            return;
        }

        long leader = ClusterJob.LeaderOf(run);
        string folder = KeptRun.LeadFolderOf(Folder.FullPath, leader);
        Directory.CreateDirectory(folder);
        _lead?.Dispose();
        _lead = KeeperOf(_request with { JournalFolder = folder, Disk = FileDisk.Instance }, KeptRun.CoordinatorPart);
        (_leader, _committedBefore) = (leader, start.Step > 0 ? start : null);
    }

    private RecordKeeper KeeperOf(RunRequest request, LogPart? part) => new(
        new RunStorage(request, _plan, _pool, part, text => _events.OnNotice(text)), _pool, OnFailure);

    /// <summary>A snapshot is kept on other nodes; the coordinator's log says so too before it is told.</summary>
    private static void OnSnapshotKept(ActorCell cell, int life, PersistRecord record, string? problem, RecordKeeper? keeper)
    {
        if (problem is null && keeper is not null)
        {
            keeper.Keep(cell, life, record);
        }
        else
        {
            cell.OnPersisted(life, record, problem);
        }
    }

    private void Keep(RecordKeeper keeper, ActorCell cell, int life, PersistRecord record)
    {
        if (record is PreparedRecord prepared)
        {
            lock (_lock)
            {
                _reach[prepared.Shard] = prepared.Step;
            }
        }

        keeper.Keep(cell, life, record);
    }

    /// <summary>How far snapshot and log can bring each shard: as far as updates follow one another for every slice of it.</summary>
    private long[] ReachOf(string folder)
    {
        long[] reach = new long[_plan.Topology.Shards];
        Array.Fill(reach, long.MaxValue);
        LogIndex index = LogReader.Read(FileDisk.Instance, folder, KeptRun.ShardsPart).Index;
        long snapshot = SnapshotFiles.Newest(folder)?.Step ?? 0;
        foreach (SlicePlan slice in _plan.Slices.Where(slice => !slice.Frozen))
        {
            long step = snapshot;
            foreach (LogEntry entry in index.UpdatesOf(slice.Index))
            {
                step = entry.Step == step + 1 ? entry.Step : step;
            }

            reach[slice.Shard] = Math.Min(reach[slice.Shard], step);
        }

        return reach;
    }
}
