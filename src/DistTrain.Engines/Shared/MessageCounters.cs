using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>Messages and tensor bytes that one actor sent, retries included.</summary>
internal sealed class MessageCounters
{
    // An actor sends a handful of types, which are found sooner by looking than by hashing.
    private Type[] _types = new Type[8];
    private long[] _counts = new long[8];
    private int _known;

    /// <summary>Bytes of the tensors in the messages.</summary>
    public long Bytes { get; private set; }

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
            for (int i = 0; i < one._known; i++)
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
        while (index < _known && _types[index] != type)
        {
            index++;
        }

        if (index == _known)
        {
            if (_known == _types.Length)
            {
                Array.Resize(ref _types, 2 * _known);
                Array.Resize(ref _counts, 2 * _known);
            }

            _types[_known++] = type;
        }

        return ref _counts[index];
    }
}
