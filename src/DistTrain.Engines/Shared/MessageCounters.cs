using System.Runtime.InteropServices;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>Messages and tensor bytes that one actor sent, retries included.</summary>
internal sealed class MessageCounters
{
    private readonly Dictionary<Type, long> _byType = [];

    /// <summary>Bytes of the tensors in the messages.</summary>
    public long Bytes { get; private set; }

    /// <summary>Counts one message.</summary>
    public void Count(Message message, BufferPool pool) =>
        Count(message, pool.Length(MessageBuffers.First(message)) + pool.Length(MessageBuffers.Second(message)));

    /// <summary>Counts one message with so many bytes of tensors.</summary>
    public void Count(Message message, long bytes)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_byType, message.GetType(), out _)++;
        Bytes += bytes;
    }

    /// <summary>The sums of many counters, by tag in ordinal order.</summary>
    public static IReadOnlyList<KeyValuePair<string, long>> Sum(IEnumerable<MessageCounters> counters)
    {
        Dictionary<Type, long> total = [];
        foreach (MessageCounters one in counters)
        {
            foreach ((Type type, long count) in one._byType)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(total, type, out _) += count;
            }
        }

        return [.. MessageCatalog.All.Where(entry => total.ContainsKey(entry.Type))
            .Select(entry => KeyValuePair.Create(entry.Tag, total[entry.Type]))];
    }
}
