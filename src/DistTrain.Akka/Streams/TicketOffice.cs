using System.Security.Cryptography;

namespace DistTrain.Akka.Streams;

/// <summary>Tickets that open a stream once. Thread-safe.</summary>
internal sealed class TicketOffice(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long RunId, long IssuedAt)> _open = new(StringComparer.Ordinal);

    /// <summary>A ticket for a stream of a run.</summary>
    public byte[] Issue(long runId)
    {
        byte[] ticket = RandomNumberGenerator.GetBytes(StreamLimits.TicketBytes);
        lock (_lock)
        {
            if (_open.Count >= StreamLimits.TicketsMax)
            {
                DropOld();
            }

            if (_open.Count >= StreamLimits.TicketsMax)
            {
                // The oldest one's owner asks again when it is refused.
                _open.Remove(_open.MinBy(ticket => ticket.Value.IssuedAt).Key);
            }

            _open[Key(ticket)] = (runId, time.GetTimestamp());
        }

        return ticket;
    }

    /// <summary>The run that a ticket is for, which is no good a second time; null when it never was, or not any more.</summary>
    public long? Redeem(ReadOnlySpan<byte> ticket)
    {
        lock (_lock)
        {
            return _open.Remove(Key(ticket), out (long RunId, long IssuedAt) found) && IsGood(found.IssuedAt) ? found.RunId : null;
        }
    }

    /// <summary>A ticket as a key.</summary>
    public static string Key(ReadOnlySpan<byte> ticket) => Convert.ToHexString(ticket);

    private bool IsGood(long issuedAt) => time.GetElapsedTime(issuedAt) < StreamLimits.TicketLife;

    private void DropOld()
    {
        foreach (string key in _open.Where(entry => !IsGood(entry.Value.IssuedAt)).Select(entry => entry.Key).ToList())
        {
            _open.Remove(key);
        }
    }
}
