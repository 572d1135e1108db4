namespace DistTrain.Akka.Wire;

/// <summary>Client to any node: train this.</summary>
/// <param name="Job">A <see cref="ClusterJob"/>.</param>
[ClusterTag("cluster.submit")]
internal sealed record Submit(byte[] Job) : ClusterMessage;

/// <summary>Leader to client: the run has begun, or begun again under another leader.</summary>
[ClusterTag("cluster.accepted")]
internal sealed record Accepted(long Run) : ClusterMessage;

/// <summary>Leader to client: the run cannot be had; the text says why and what would help.</summary>
[ClusterTag("cluster.refused")]
internal sealed record Refused(string Reason) : ClusterMessage;

/// <summary>Client to leader: stop at a committed step.</summary>
[ClusterTag("cluster.stop-run")]
internal sealed record StopRun(long RunId) : ClusterMessage;

/// <summary>Leader to client: a report or a notice.</summary>
/// <param name="Run">Which run; the number of the leader that reports is part of it.</param>
/// <param name="Sequence">From 1 under each leader; what is not taken is sent again.</param>
/// <param name="Note">A note as between the processes of one machine.</param>
[ClusterTag("cluster.run-note")]
internal sealed record RunNote(long Run, long Sequence, byte[] Note) : ClusterMessage;

/// <summary>Leader to client: notes up to here that were not taken are not kept any more.</summary>
[ClusterTag("cluster.notes-lost")]
internal sealed record NotesLost(long Run, long Sequence) : ClusterMessage;

/// <summary>Client to leader: every note up to here was taken.</summary>
[ClusterTag("cluster.notes-taken")]
internal sealed record NotesTaken(long Run, long Sequence) : ClusterMessage;

/// <summary>Leader to client: the run is over; how, what was counted, and who holds the last snapshot.</summary>
[ClusterTag("cluster.run-over")]
internal sealed record RunOver(long Run, byte[] Ended, byte[] Counts, string[] Holders) : ClusterMessage;

/// <summary>Client to leader: it has what it came for, or gives up.</summary>
/// <param name="RunId">Which run.</param>
/// <param name="HasModel">Whether it has the model; else the nodes keep what the run can be resumed from.</param>
[ClusterTag("cluster.run-collected")]
internal sealed record RunCollected(long RunId, bool HasModel) : ClusterMessage;

/// <summary>To a holder of a snapshot: a piece of one of its files.</summary>
[ClusterTag("cluster.fetch-part")]
internal sealed record FetchPart(long RunId, long Step, string Name, long Offset) : ClusterMessage;

/// <summary>The piece.</summary>
/// <param name="RunId">Which run.</param>
/// <param name="Step">The snapshot's step.</param>
/// <param name="Name">The file.</param>
/// <param name="Offset">Where the piece starts.</param>
/// <param name="Total">Bytes of the file; −1 where it is not here.</param>
/// <param name="Bytes">The piece.</param>
[ClusterTag("cluster.part")]
internal sealed record Part(long RunId, long Step, string Name, long Offset, long Total, byte[] Bytes) : ClusterMessage;

/// <summary>To a client whose run ships its data: a piece of one of its data files; the answer is a <see cref="Part"/> of step 0.</summary>
[ClusterTag("cluster.fetch-file")]
internal sealed record FetchFile(long RunId, string Path, long Offset) : ClusterMessage;

/// <summary>Leader to node: make ready for a run.</summary>
/// <param name="Run">Which run, under which leader.</param>
/// <param name="Job">A <see cref="ClusterJob"/>.</param>
[ClusterTag("cluster.prepare")]
internal sealed record Prepare(long Run, byte[] Job) : ClusterMessage;

/// <summary>Node to leader: ready, or not.</summary>
/// <param name="Run">Which run.</param>
/// <param name="HasData">Whether the data files are here and are the same.</param>
/// <param name="Problem">Why it is not ready or has no data; empty for no problem.</param>
/// <param name="CanHost">Whether it can host actors at all.</param>
/// <param name="Capacity">How much it takes beside others.</param>
/// <param name="SnapshotStep">The newest snapshot that is kept whole here; −1 for none.</param>
/// <param name="Progress">What the coordinator needs to go on from it; empty for none.</param>
/// <param name="Hosts">The run's actors that live here already.</param>
/// <param name="Kept">Where the run keeps a log, a <see cref="Nodes.KeptRun"/>; else empty.</param>
[ClusterTag("cluster.ready")]
internal sealed record Ready(
    long Run, bool HasData, string Problem, bool CanHost, int Capacity, long SnapshotStep, byte[] Progress, int[] Hosts, byte[] Kept) : ClusterMessage;

/// <summary>Leader to nodes: who lives where.</summary>
/// <param name="Run">Which run.</param>
/// <param name="Nodes">Addresses of the nodes.</param>
/// <param name="NodeOf">For each actor the index of its node.</param>
[ClusterTag("cluster.table")]
internal sealed record Table(long Run, string[] Nodes, int[] NodeOf) : ClusterMessage;

/// <summary>Leader to node: start an actor.</summary>
/// <param name="Run">Which run.</param>
/// <param name="Actor">Who.</param>
/// <param name="Incarnation">With which incarnation.</param>
/// <param name="RestoreStep">The snapshot that it may have to go back to; 0 for the beginning.</param>
/// <param name="Holder">A node that holds it.</param>
[ClusterTag("cluster.spawn")]
internal sealed record SpawnActor(long Run, int Actor, int Incarnation, long RestoreStep, string Holder) : ClusterMessage;

/// <summary>Node to leader: the actor was started.</summary>
[ClusterTag("cluster.spawned")]
internal sealed record Spawned(long Run, int Actor, int Incarnation) : ClusterMessage;

/// <summary>Leader to nodes: the final-layer actor trains alone from now on, or no longer.</summary>
[ClusterTag("cluster.alone")]
internal sealed record TrainAlone(long Run, bool On) : ClusterMessage;

/// <summary>Node to the run's other nodes: a part of a snapshot is kept here; keep it too.</summary>
[ClusterTag("cluster.part-kept")]
internal sealed record PartKept(long RunId, long Step, string Name) : ClusterMessage;

/// <summary>The answer: it is, or it will not be.</summary>
[ClusterTag("cluster.part-held")]
internal sealed record PartHeld(long RunId, long Step, string Name) : ClusterMessage;

/// <summary>Leader to nodes: the snapshot is whole, and this is the coordinator's part.</summary>
[ClusterTag("cluster.complete-snapshot")]
internal sealed record CompleteSnapshot(long Run, long Step, byte[] Progress) : ClusterMessage;

/// <summary>Node to leader: whether the snapshot is whole here.</summary>
[ClusterTag("cluster.snapshot-complete")]
internal sealed record SnapshotComplete(long Run, long Step, bool Complete) : ClusterMessage;

/// <summary>Leader to nodes: the run is over; say what was counted.</summary>
[ClusterTag("cluster.end-run")]
internal sealed record EndRun(long Run) : ClusterMessage;

/// <summary>Node to leader: what was counted.</summary>
[ClusterTag("cluster.run-counts")]
internal sealed record RunCounts(long Run, byte[] Note) : ClusterMessage;

/// <summary>Leader to nodes: the run is no longer hosted.</summary>
/// <param name="RunId">Which run.</param>
/// <param name="KeepsFiles">Whether its files stay, for it may be resumed from them.</param>
[ClusterTag("cluster.forget-run")]
internal sealed record ForgetRun(long RunId, bool KeepsFiles) : ClusterMessage;

/// <summary>Client to a node: what does its disk have of a run?</summary>
[ClusterTag("cluster.find-kept")]
internal sealed record FindKept(long RunId) : ClusterMessage;

/// <summary>The answer.</summary>
/// <param name="RunId">Which run.</param>
/// <param name="Run">A <see cref="Nodes.KeptRun"/>.</param>
[ClusterTag("cluster.kept")]
internal sealed record Kept(long RunId, byte[] Run) : ClusterMessage;

/// <summary>Node to leader: an actor here let an exception through; the run cannot be saved.</summary>
[ClusterTag("cluster.node-failed")]
internal sealed record NodeFailed(long Run, string Problem) : ClusterMessage;

/// <summary>A new leader to nodes: which run do you host?</summary>
[ClusterTag("cluster.ask-run")]
internal sealed record AskRun : ClusterMessage;

/// <summary>The answer.</summary>
/// <param name="Run">The run under its last leader; 0 for none.</param>
/// <param name="Job">Its job.</param>
[ClusterTag("cluster.hosted-run")]
internal sealed record HostedRun(long Run, byte[] Job) : ClusterMessage;

/// <summary>Node to node: may I open a stream of tensors to you?</summary>
[ClusterTag("cluster.open-stream")]
internal sealed record OpenStream(long RunId) : ClusterMessage;

/// <summary>The answer: where, and the ticket that opens it once.</summary>
/// <param name="RunId">Which run.</param>
/// <param name="Host">The host; empty when the run is not here.</param>
/// <param name="Port">The port; 0 for a stream of chunks by Akka.Remote.</param>
/// <param name="Ticket">The ticket.</param>
[ClusterTag("cluster.stream-ticket")]
internal sealed record StreamTicket(long RunId, string Host, int Port, byte[] Ticket) : ClusterMessage;

/// <summary>A chunk of a stream that goes by Akka.Remote.</summary>
[ClusterTag("cluster.chunk")]
internal sealed record StreamChunk(byte[] Ticket, long Sequence, byte[] Bytes) : ClusterMessage;

/// <summary>Every chunk up to this one was taken; −1 when the stream is lost.</summary>
[ClusterTag("cluster.chunk-credit")]
internal sealed record ChunkCredit(byte[] Ticket, long Sequence) : ClusterMessage;

/// <summary>To any node: how is the cluster?</summary>
[ClusterTag("cluster.ask-status")]
internal sealed record AskStatus : ClusterMessage;

/// <summary>The answer, a <see cref="Nodes.StatusReport"/>.</summary>
[ClusterTag("cluster.status")]
internal sealed record ClusterStatus(byte[] Report) : ClusterMessage;
