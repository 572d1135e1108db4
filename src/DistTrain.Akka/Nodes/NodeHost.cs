using System.Net;
using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Leading;
using DistTrain.Akka.Security;
using DistTrain.Akka.Streams;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;
using Envelope = DistTrain.Protocol.Messages.Envelope;

namespace DistTrain.Akka.Nodes;

/// <summary>What the actors of a node process share: its settings, its run, its streams, and its log.</summary>
internal sealed class NodeHost : INodeEvents, IDisposable
{
    private readonly StreamListener? _listener;
    private readonly StreamConnector _connector;
    private readonly SealSetup _seal;
    private volatile NodeRun? _run;

    /// <param name="settings">The node's settings.</param>
    /// <param name="seal">The secret, and who hears of refusals.</param>
    /// <param name="tls">Certificates; null for none.</param>
    /// <param name="read">Reads a job's experiment, whose files are below a folder.</param>
    /// <param name="log">Hears what is worth a line.</param>
    public NodeHost(NodeSettings settings, SealSetup seal, TlsFiles? tls, Func<string, string, ChildExperiment> read, Action<string> log)
    {
        (Settings, _seal, ReadExperiment, Log) = (settings, seal, read, log);
        _connector = new StreamConnector(seal.Secret, tls, settings.WindowBytes);
        if (settings.DataPlane == DataPlane.Tcp)
        {
            _listener = new StreamListener(
                new IPEndPoint(ListenAddress.Of(settings), settings.StreamPort), seal.Secret, tls, Tickets, settings.WindowBytes, ReadStream, Refuse);
        }
    }

    /// <summary>The node's settings.</summary>
    public NodeSettings Settings { get; }

    /// <summary>Reads a job's experiment.</summary>
    public Func<string, string, ChildExperiment> ReadExperiment { get; }

    /// <summary>Hears what is worth a line.</summary>
    public Action<string> Log { get; }

    /// <summary>What opens a stream to this node.</summary>
    public TicketOffice Tickets { get; } = new(TimeProvider.System);

    /// <summary>Streams by Akka.Remote.</summary>
    public ChunkDesk Chunks { get; } = new();

    /// <summary>The run that is hosted here; null for none.</summary>
    public NodeRun? Run
    {
        get => _run;
        set
        {
            if (_run is NodeRun before && before != value)
            {
                Chunks.End(before.Job.RunId);
            }

            _run = value;
        }
    }

    /// <summary>The leader, while it is on this node.</summary>
    public IActorRef Leader { get; set; } = ActorRefs.Nobody;

    /// <summary>The node's actor.</summary>
    public IActorRef Node { get; set; } = ActorRefs.Nobody;

    /// <summary>Connections and messages that were refused.</summary>
    public long Refusals => _seal.Refusals;

    /// <summary>Answers a node that wants to open a stream.</summary>
    public StreamTicket TicketFor(long runId) => Run?.Job.RunId != runId
        ? new StreamTicket(runId, "", 0, [])
        : new StreamTicket(runId, Settings.Host, _listener?.Port ?? 0, Tickets.Issue(runId));

    /// <summary>Opens a stream to another node, which is asked for a ticket first. Throws <see cref="IOException"/> when that is not possible
    /// now.</summary>
    public Stream OpenStream(IActorRef peer, long runId, CancellationToken ending)
    {
        StreamTicket ticket;
        try
        {
            ticket = peer.Ask<StreamTicket>(new OpenStream(runId), StreamLimits.TicketTimeout, ending).GetAwaiter().GetResult();
        }
        catch (Exception silent) when (silent is AskTimeoutException or TaskCanceledException)
        {
            throw new IOException($"{peer.Path.Address} gives no ticket", silent);
        }

        if (ticket.Host.Length == 0 || ticket.Ticket.Length != StreamLimits.TicketBytes)
        {
            throw new IOException($"{peer.Path.Address} does not host the run yet");
        }

        return ticket.Port == 0
            ? Chunks.Open(ticket.Ticket, Settings.WindowChunks, chunk => peer.Tell(chunk, Node))
            : _connector.Open(ticket.Host, ticket.Port, ticket.Ticket, ending);
    }

    /// <summary>Reads a stream of frames to its end.</summary>
    public void ReadStream(long runId, Stream stream)
    {
        if (Run is not NodeRun run || run.Job.RunId != runId)
        {
            return;
        }

        using FrameReader frames = new(stream, run.Pool);
        try
        {
            while (true)
            {
                run.Receive(frames.Read(envelope => RequireOf(runId, envelope)));
            }
        }
        catch (FrameException problem)
        {
            Refuse(problem.Message);
        }
        catch (IOException)
        {
            // The other node ended the stream.
        }
    }

    /// <summary>Something was refused; the same reason is told once.</summary>
    public void Refuse(string problem) => _seal.Refused(new Address("tcp", "stream", "stream", 0), problem);

    /// <inheritdoc/>
    public void OnSpawn(long run, ActorId actor, int incarnation) => Leader.Tell(new SpawnWanted(run, actor, incarnation));

    /// <inheritdoc/>
    public void OnReport(long run, Report report) => Leader.Tell(new ReportMade(run, report));

    /// <inheritdoc/>
    public void OnSnapshot(long run, CoordinatorProgress progress, Action<string?> kept) => Leader.Tell(new SnapshotMade(run, progress, kept));

    /// <inheritdoc/>
    public void OnNotice(string text) => Log(text);

    /// <inheritdoc/>
    public void OnFailure(long runId, string problem, bool isInput) => Node.Tell(new RunBroke(runId, problem, isInput));

    public void Dispose()
    {
        _listener?.Dispose();
        _run?.Dispose();
    }

    private static void RequireOf(long runId, Envelope envelope)
    {
        if (ClusterJob.IdOf(envelope.Run) != runId)
        {
            throw new FrameException("a message of another run on a run's stream");
        }
    }
}
