using DistTrain.Numerics.Kernels;

namespace DistTrain.Engines.Shared;

/// <summary>
/// One piece of chunked work that idle crew members may help with. Chunks are claimed one by one, so the opener finishes
/// alone when nobody comes. Half of the members claim from the first chunk on and half from the last one back, so that a thread mostly gets the part of a matrix that
/// it had the last time: what another core has read or written costs several times as much to write. One piece
/// at a time: a second opener meanwhile works alone, so each member has a slot of its own.
/// </summary>
internal sealed class ForkSlot
{
    // A claim from the first chunk on; one from the last one back is 1.
    private const long ClaimFirst = 1L << 32;

    private int _open, _chunks, _done, _helpers;
    private long _claims;
    private IChunkedWork? _work;

    /// <summary>Publishes work; false when other work is open.</summary>
    public bool TryOpen(IChunkedWork work, int chunks)
    {
        if (chunks < 2 || Interlocked.CompareExchange(ref _open, 1, 0) != 0)
        {
            return false;
        }

        _work = work;
        Volatile.Write(ref _done, 0);
        Volatile.Write(ref _chunks, chunks);
        return true;
    }

    /// <summary>Helps with open work; false when there is none left to claim.</summary>
    /// <param name="fromLast">Whether to begin with the last chunk.</param>
    public bool TryHelp(bool fromLast)
    {
        if (Volatile.Read(ref _chunks) == 0)
        {
            return false;
        }

        Interlocked.Increment(ref _helpers);
        bool helped = Claim(fromLast);
        Interlocked.Decrement(ref _helpers);
        return helped;
    }

    /// <summary>Claims chunks until none is left, waits for those that helpers run, and closes.</summary>
    /// <param name="fromLast">Whether to begin with the last chunk.</param>
    public void HelpAndClose(bool fromLast)
    {
        Claim(fromLast);
        SpinWait spin = default;
        while (Volatile.Read(ref _done) < Volatile.Read(ref _chunks))
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        // From here no helper finds work; those still inside leave before the slot is used again. The exchange is a full fence:
        // a plain store could become visible only after the look at the helpers, and one could slip in between.
        Interlocked.Exchange(ref _chunks, 0);
        while (Volatile.Read(ref _helpers) > 0)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        _work = null;
        Volatile.Write(ref _claims, 0);
        Volatile.Write(ref _open, 0);
    }

    private bool Claim(bool fromLast)
    {
        bool any = false;
        while (true)
        {
            int chunks = Volatile.Read(ref _chunks);
            if (chunks == 0)
            {
                // Closed: a claim now would take a chunk of the work that is opened next.
                return any;
            }

            long claims = Interlocked.Add(ref _claims, fromLast ? 1 : ClaimFirst);
            int first = (int)(claims >> 32), last = (int)claims;
            if (first + last > chunks)
            {
                return any;
            }

            _work!.RunChunk(fromLast ? chunks - last : first - 1);
            Interlocked.Increment(ref _done);
            any = true;
        }
    }
}
