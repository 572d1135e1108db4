using System.Runtime.InteropServices;
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

    private Counts _counts;

    /// <summary>Whether there is something left to claim; a hint, which spares an idle member from writing what others work with.</summary>
    public bool WantsHelp
    {
        get
        {
            int chunks = Volatile.Read(ref _counts.Chunks);
            long claims = Volatile.Read(ref _counts.Claims);
            return chunks != 0 && (claims >> 32) + (int)claims < chunks;
        }
    }

    /// <summary>Publishes work; false when other work is open.</summary>
    public bool TryOpen(IChunkedWork work, int chunks)
    {
        if (chunks < 2 || Interlocked.CompareExchange(ref _counts.Open, 1, 0) != 0)
        {
            return false;
        }

        _counts.Work = work;
        Volatile.Write(ref _counts.Done, 0);
        Volatile.Write(ref _counts.Chunks, chunks);
        return true;
    }

    /// <summary>Helps with open work; false when there is none left to claim.</summary>
    /// <param name="fromLast">Whether to begin with the last chunk.</param>
    public bool TryHelp(bool fromLast)
    {
        if (!WantsHelp)
        {
            return false;
        }

        Interlocked.Increment(ref _counts.Helpers);
        bool helped = Claim(fromLast);
        Interlocked.Decrement(ref _counts.Helpers);
        return helped;
    }

    /// <summary>Claims chunks until none is left, waits for those that helpers run, and closes.</summary>
    /// <param name="fromLast">Whether to begin with the last chunk.</param>
    public void HelpAndClose(bool fromLast)
    {
        Claim(fromLast);
        SpinWait spin = default;
        while (Volatile.Read(ref _counts.Done) < Volatile.Read(ref _counts.Chunks))
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        // From here no helper finds work; those still inside leave before the slot is used again. The exchange is a full fence:
        // a plain store could become visible only after the look at the helpers, and one could slip in between.
        Interlocked.Exchange(ref _counts.Chunks, 0);
        while (Volatile.Read(ref _counts.Helpers) > 0)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        _counts.Work = null;
        Volatile.Write(ref _counts.Claims, 0);
        Volatile.Write(ref _counts.Open, 0);
    }

    private bool Claim(bool fromLast)
    {
        bool any = false;
        while (true)
        {
            int chunks = Volatile.Read(ref _counts.Chunks);
            if (chunks == 0)
            {
                // Closed: a claim now would take a chunk of the work that is opened next.
                return any;
            }

            long claims = Interlocked.Add(ref _counts.Claims, fromLast ? 1 : ClaimFirst);
            int first = (int)(claims >> 32), last = (int)claims;
            if (first + last > chunks)
            {
                return any;
            }

            _counts.Work!.RunChunk(fromLast ? chunks - last : first - 1);
            Interlocked.Increment(ref _counts.Done);
            any = true;
        }
    }

    /// <summary>On cache lines of their own: idle members look at every slot all the time.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Counts
    {
        [FieldOffset(64)]
        public int Open;

        [FieldOffset(68)]
        public int Chunks;

        [FieldOffset(72)]
        public int Done;

        [FieldOffset(76)]
        public int Helpers;

        [FieldOffset(80)]
        public long Claims;

        [FieldOffset(88)]
        public IChunkedWork? Work;
    }
}
