using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Counts what goes from actor to actor, without a lock: a sender's numbers are written by whoever has its turn, and those of what was lost by whoever has the
/// receiver's. Whoever reads meanwhile may see a message counted and its bytes not yet.
/// </summary>
internal sealed class LinkCounters(int actors)
{
    // Few pairs of many actors ever talk, so that a row is a table of pages.
    private const int PageLength = 64;
    private readonly Entry[]?[]?[] _sent = new Entry[actors][][], _lost = new Entry[actors][][];

    /// <summary>A message is sent.</summary>
    public void OnSent(Envelope envelope, BufferPool pool)
    {
        Message message = envelope.Message;
        OnSent(envelope.From, envelope.To, pool.Length(MessageBuffers.First(message)) + pool.Length(MessageBuffers.Second(message)));
    }

    /// <summary>A message with so many bytes of tensors is sent.</summary>
    public void OnSent(ActorId from, ActorId to, long bytes)
    {
        ref Entry entry = ref EntryOf(_sent, from.Index, to.Index);
        entry.Messages++;
        entry.Bytes += bytes;
    }

    /// <summary>A message did not reach anybody.</summary>
    public void OnLost(Envelope envelope) => EntryOf(_lost, envelope.To.Index, envelope.From.Index).Messages++;

    /// <summary>Every pair of actors that anything passed between, in the order of sender and receiver.</summary>
    public IReadOnlyList<LinkStatus> Links()
    {
        List<LinkStatus> links = [];
        for (int from = 0; from < actors; from++)
        {
            Entry[]?[]? row = Volatile.Read(ref _sent[from]);
            for (int page = 0; page < (row?.Length ?? 0); page++)
            {
                Entry[]? entries = Volatile.Read(ref row![page]);
                for (int place = 0; place < (entries?.Length ?? 0); place++)
                {
                    Entry entry = entries![place];
                    if (entry.Messages > 0)
                    {
                        int to = (page * PageLength) + place;
                        links.Add(new LinkStatus(new ActorId(from), new ActorId(to), entry.Messages, entry.Bytes, LostOf(from, to)));
                    }
                }
            }
        }

        return links;
    }

    private long LostOf(int from, int to) =>
        Volatile.Read(ref _lost[to]) is Entry[]?[] row && Volatile.Read(ref row[from / PageLength]) is Entry[] page ? page[from % PageLength].Messages : 0;

    private ref Entry EntryOf(Entry[]?[]?[] rows, int own, int other)
    {
        Entry[]?[]? row = rows[own];
        if (row is null)
        {
            row = new Entry[(actors + PageLength - 1) / PageLength][];
            Volatile.Write(ref rows[own], row);
        }

        Entry[]? page = row[other / PageLength];
        if (page is null)
        {
            page = new Entry[PageLength];
            Volatile.Write(ref row[other / PageLength], page);
        }

        return ref page[other % PageLength];
    }

    private struct Entry
    {
        public long Messages;
        public long Bytes;
    }
}
