using System.Collections.Concurrent;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Streams;

/// <summary>The streams of this node that go by Akka.Remote, by their tickets. Thread-safe.</summary>
internal sealed class ChunkDesk
{
    private readonly ConcurrentDictionary<string, ChunkOutput> _out = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long RunId, ChunkInput Input)> _in = new(StringComparer.Ordinal);

    /// <summary>Opens the writing end of a stream.</summary>
    public ChunkOutput Open(byte[] ticket, int window, Action<StreamChunk> send)
    {
        string key = TicketOffice.Key(ticket);
        ChunkOutput output = new((sequence, bytes) => send(new StreamChunk(ticket, sequence, bytes)), window, () => _out.TryRemove(key, out _));
        _out[key] = output;
        return output;
    }

    /// <summary>A chunk came. The first of a ticket begins a stream.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="tickets">What opens a stream.</param>
    /// <param name="credit">Answers the writer.</param>
    /// <param name="read">Reads a run's stream to its end; called on a thread of its own.</param>
    public void OnChunk(StreamChunk chunk, TicketOffice tickets, Action<ChunkCredit> credit, Action<long, Stream> read)
    {
        string key = TicketOffice.Key(chunk.Ticket);
        if (!_in.TryGetValue(key, out (long RunId, ChunkInput Input) found))
        {
            if (chunk.Sequence != 1 || tickets.Redeem(chunk.Ticket) is not long runId)
            {
                credit(new ChunkCredit(chunk.Ticket, -1));
                return;
            }

            ChunkInput begun = new(taken => credit(new ChunkCredit(chunk.Ticket, taken)));
            found = _in[key] = (runId, begun);
            new Thread(() => Read(runId, key, begun, read)) { IsBackground = true, Name = "chunks in" }.Start();
        }

        found.Input.OnChunk(chunk.Sequence, chunk.Bytes);
    }

    /// <summary>Ends all streams of a run that come in, for it is not here any more; whoever was killed ends none of them.</summary>
    public void End(long runId)
    {
        foreach ((long RunId, ChunkInput Input) open in _in.Values.Where(open => open.RunId == runId))
        {
            open.Input.End();
        }
    }

    /// <summary>Credit came.</summary>
    public void OnCredit(ChunkCredit credit)
    {
        if (_out.TryGetValue(TicketOffice.Key(credit.Ticket), out ChunkOutput? output))
        {
            output.OnCredit(credit.Sequence);
        }
    }

    private void Read(long runId, string key, ChunkInput input, Action<long, Stream> read)
    {
        using (input)
        {
            read(runId, input);
        }

        _in.TryRemove(key, out _);
    }
}
