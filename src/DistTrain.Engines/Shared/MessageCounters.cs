using System.Runtime.InteropServices;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>Messages and tensor bytes that one actor sent, retries included.</summary>
internal sealed class MessageCounters
{
    // An actor sends a handful of types, which are found sooner by looking than by hashing.
    private readonly List<Type> _types = [];
    private readonly List<long> _counts = [];

    /// <summary>Bytes of the tensors in the messages.</summary>
    public long Bytes { get; private set; }

    /// <summary>Counts one message.</summary>
    public void Count(Message message, BufferPool pool) =>
        Count(message, pool.Length(MessageBuffers.First(message)) + pool.Length(MessageBuffers.Second(message)));

    /// <summary>Counts one message with so many bytes of tensors.</summary>
    public void Count(Message message, long bytes)
    {
        CountOf(message.GetType())++;
        Bytes += bytes;
    }

    /// <summary>The sums of many counters, by tag in ordinal order.</summary>
    public static IReadOnlyList<KeyValuePair<string, long>> Sum(IEnumerable<MessageCounters> counters)
    {
        MessageCounters total = new();
        foreach (MessageCounters one in counters)
        {
            for (int i = 0; i < one._types.Count; i++)
            {
                total.CountOf(one._types[i]) += one._counts[i];
            }
        }

        return [.. MessageCatalog.All.Where(entry => total._types.Contains(entry.Type))
            .Select(entry => KeyValuePair.Create(entry.Tag, total.CountOf(entry.Type)))];
    }

    private ref long CountOf(Type type)
    {
        int index = 0;
        while (index < _types.Count && _types[index] != type)
        {
            index++;
        }

        if (index == _types.Count)
        {
            _types.Add(type);
            _counts.Add(0);
        }

        return ref CollectionsMarshal.AsSpan(_counts)[index];
    }
}
