using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Nodes;

/// <summary>To the leader on the same node: the coordinator wants an actor started.</summary>
internal sealed record SpawnWanted(long Run, ActorId Actor, int Incarnation);

/// <summary>To the leader on the same node: the coordinator reports.</summary>
internal sealed record ReportMade(long Run, Report Report);

/// <summary>To the leader on the same node: a snapshot is to be kept everywhere.</summary>
internal sealed record SnapshotMade(long Run, CoordinatorProgress Progress, Action<string?> Kept);

/// <summary>To the node's actor: its run let an exception through.</summary>
internal sealed record RunBroke(long RunId, string Problem, bool IsInput);

/// <summary>To the node's actor from itself: a run that broke is to be made anew now.</summary>
internal sealed record RestartDue(long Number, ClusterJob Job);

/// <summary>To the node's actor from itself: a run is ready, or not.</summary>
internal sealed record RunMade(long Number, ClusterJob Job, NodeRun? Run, string Problem);

/// <summary>To the node's actor from itself: a snapshot that an actor may need was fetched, or not.</summary>
internal sealed record SnapshotFetched(Wire.SpawnActor Spawn);
