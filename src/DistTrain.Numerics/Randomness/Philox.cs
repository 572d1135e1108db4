using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Randomness;

/// <summary>
/// Philox4x32-10: a counter-based generator, a keyed bijection of 128-bit counters.
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
/// </summary>
public static class Philox
{
    private const uint M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;

    /// <summary>Ten rounds over <paramref name="counter"/> with a 64-bit <paramref name="key"/>; no state, no
    /// allocation.</summary>
    public static PhiloxBlock Block(PhiloxBlock counter, ulong key)
    {
        (uint c0, uint c1, uint c2, uint c3) = (counter.X0, counter.X1, counter.X2, counter.X3);
        (uint k0, uint k1) = ((uint)key, (uint)(key >> 32));
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)M0 * c0, p1 = (ulong)M1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            unchecked
            {
                k0 += W0;
                k1 += W1;
            }
        }

        return new PhiloxBlock(c0, c1, c2, c3);
    }

    /// <summary>
    /// The blocks of a counter whose first word counts up, as pairs of 64-bit words, low word first. Writes as many as go
    /// eight or four blocks at a time, none where the processor cannot, and returns how many words those are.
    /// </summary>
    internal static int Blocks(PhiloxBlock counter, ulong key, Span<ulong> words)
    {
        const int Words = 8;
        if (!Avx2.IsSupported)
        {
            return 0;
        }

        int done = Avx512F.IsSupported ? Eights(counter, key, words) : 0;
        for (; done + Words <= words.Length; done += Words)
        {
            uint first = unchecked(counter.X0 + (uint)(done / 2));
            Vector256<ulong> c0 = Vector256.Create(first, unchecked(first + 1), unchecked(first + 2), (ulong)unchecked(first + 3));
            Four(c0, counter, key, words.Slice(done, Words));
        }

        return done;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Eights(PhiloxBlock counter, ulong key, Span<ulong> words)
    {
        const int Words = 64;
        Vector512<ulong> low = Vector512.Create((ulong)uint.MaxValue), count = Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7);
        Vector512<uint> m0 = Vector512.Create(M0), m1 = Vector512.Create(M1);

        // Only the first word differs from block to block, so that half of the first two rounds is the same for all.
        (uint key0, uint key1) = ((uint)key, (uint)(key >> 32));
        ulong product1 = (ulong)M1 * counter.X2, product2 = (ulong)M0 * ((uint)(product1 >> 32) ^ counter.X1 ^ key0);
        Vector512<ulong> round1 = Vector512.Create((ulong)(counter.X3 ^ key1)), last = Vector512.Create(product2);
        Vector512<ulong> round2Even = Vector512.Create((ulong)((uint)product1 ^ unchecked(key0 + W0)));
        Vector512<ulong> round2Odd = Vector512.Create((ulong)((uint)(product2 >> 32) ^ unchecked(key1 + W1)));

        // A key stands in the low half of each lane; additions wrap there and leave the high half 0.
        Vector512<uint> key0From3 = Vector512.Create((ulong)unchecked(key0 + (2 * W0))).AsUInt32(), key1From3 = Vector512.Create((ulong)unchecked(key1 + (2 * W1))).AsUInt32();
        Vector512<uint> w0 = Vector512.Create((ulong)W0).AsUInt32(), w1 = Vector512.Create((ulong)W1).AsUInt32();
        int done = 0;
        for (; done + Words <= words.Length; done += Words)
        {
            // Four times eight blocks: a round waits for the products of the one before, and the others have theirs computed meanwhile.
            uint first = unchecked(counter.X0 + (uint)(done / 2));
            Start(first, out Vector512<ulong> a0, out Vector512<ulong> a1, out Vector512<ulong> a2);
            Start(unchecked(first + 8), out Vector512<ulong> b0, out Vector512<ulong> b1, out Vector512<ulong> b2);
            Start(unchecked(first + 16), out Vector512<ulong> c0, out Vector512<ulong> c1, out Vector512<ulong> c2);
            Start(unchecked(first + 24), out Vector512<ulong> d0, out Vector512<ulong> d1, out Vector512<ulong> d2);
            Vector512<ulong> a3 = last, b3 = last, c3 = last, d3 = last;
            Vector512<uint> k0 = key0From3, k1 = key1From3;
            for (int round = 2; round < 10; round += 2)
            {
                // Two rounds, so that what one leaves in other places comes back to its own with the next.
                Vector512<ulong> p0 = Avx512F.Multiply(a0.AsUInt32(), m0), p1 = Avx512F.Multiply(a2.AsUInt32(), m1);
                Vector512<ulong> q0 = Avx512F.Multiply(b0.AsUInt32(), m0), q1 = Avx512F.Multiply(b2.AsUInt32(), m1);
                Vector512<ulong> r0 = Avx512F.Multiply(c0.AsUInt32(), m0), r1 = Avx512F.Multiply(c2.AsUInt32(), m1);
                Vector512<ulong> s0 = Avx512F.Multiply(d0.AsUInt32(), m0), s1 = Avx512F.Multiply(d2.AsUInt32(), m1);
                (a0, a2) = ((p1 >>> 32) ^ a1 ^ k0.AsUInt64(), (p0 >>> 32) ^ a3 ^ k1.AsUInt64());
                (b0, b2) = ((q1 >>> 32) ^ b1 ^ k0.AsUInt64(), (q0 >>> 32) ^ b3 ^ k1.AsUInt64());
                (c0, c2) = ((r1 >>> 32) ^ c1 ^ k0.AsUInt64(), (r0 >>> 32) ^ c3 ^ k1.AsUInt64());
                (d0, d2) = ((s1 >>> 32) ^ d1 ^ k0.AsUInt64(), (s0 >>> 32) ^ d3 ^ k1.AsUInt64());
                (k0, k1) = (k0 + w0, k1 + w1);
                (a3, a1) = (Avx512F.Multiply(a0.AsUInt32(), m0), Avx512F.Multiply(a2.AsUInt32(), m1));
                (b3, b1) = (Avx512F.Multiply(b0.AsUInt32(), m0), Avx512F.Multiply(b2.AsUInt32(), m1));
                (c3, c1) = (Avx512F.Multiply(c0.AsUInt32(), m0), Avx512F.Multiply(c2.AsUInt32(), m1));
                (d3, d1) = (Avx512F.Multiply(d0.AsUInt32(), m0), Avx512F.Multiply(d2.AsUInt32(), m1));
                (a0, a2) = ((a1 >>> 32) ^ p1 ^ k0.AsUInt64(), (a3 >>> 32) ^ p0 ^ k1.AsUInt64());
                (b0, b2) = ((b1 >>> 32) ^ q1 ^ k0.AsUInt64(), (b3 >>> 32) ^ q0 ^ k1.AsUInt64());
                (c0, c2) = ((c1 >>> 32) ^ r1 ^ k0.AsUInt64(), (c3 >>> 32) ^ r0 ^ k1.AsUInt64());
                (d0, d2) = ((d1 >>> 32) ^ s1 ^ k0.AsUInt64(), (d3 >>> 32) ^ s0 ^ k1.AsUInt64());
                (k0, k1) = (k0 + w0, k1 + w1);
            }

            Store(a0, a1, a2, a3, words.Slice(done, Words / 4));
            Store(b0, b1, b2, b3, words.Slice(done + (Words / 4), Words / 4));
            Store(c0, c1, c2, c3, words.Slice(done + (Words / 2), Words / 4));
            Store(d0, d1, d2, d3, words.Slice(done + (3 * Words / 4), Words / 4));
        }

        return done;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Start(uint first, out Vector512<ulong> x0, out Vector512<ulong> x1, out Vector512<ulong> x2)
        {
            Vector512<ulong> product = Avx512F.Multiply(((Vector512.Create((ulong)first) + count) & low).AsUInt32(), m0);
            x1 = Avx512F.Multiply(((product >>> 32) ^ round1).AsUInt32(), m1);
            x2 = product ^ round2Odd;
            x0 = (x1 >>> 32) ^ round2Even;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<ulong> c0, Vector512<ulong> c1, Vector512<ulong> c2, Vector512<ulong> c3, Span<ulong> words)
    {
        Vector512<ulong> evenFirst = Vector512.Create(0UL, 8, 1, 9, 2, 10, 3, 11), evenLast = Vector512.Create(4UL, 12, 5, 13, 6, 14, 7, 15);
        Vector512<ulong> low = Vector512.Create((ulong)uint.MaxValue), even = (c0 & low) | (c1 << 32), odd = (c2 & low) | (c3 << 32);
        Avx512F.PermuteVar8x64x2(even, evenFirst, odd).CopyTo(words);
        Avx512F.PermuteVar8x64x2(even, evenLast, odd).CopyTo(words[8..]);
    }

    // The product takes the low halves of its lanes, so what is left in the high halves does no harm until the end.
    private static void Four(Vector256<ulong> c0, PhiloxBlock counter, ulong key, Span<ulong> words)
    {
        Vector256<ulong> c1 = Vector256.Create((ulong)counter.X1), c2 = Vector256.Create((ulong)counter.X2), c3 = Vector256.Create((ulong)counter.X3);
        (uint k0, uint k1) = ((uint)key, (uint)(key >> 32));
        for (int round = 0; round < 10; round++)
        {
            Vector256<ulong> p0 = Avx2.Multiply(c0.AsUInt32(), Vector256.Create(M0)), p1 = Avx2.Multiply(c2.AsUInt32(), Vector256.Create(M1));
            c0 = (p1 >>> 32) ^ c1 ^ Vector256.Create((ulong)k0);
            c2 = (p0 >>> 32) ^ c3 ^ Vector256.Create((ulong)k1);
            (c1, c3) = (p1, p0);
            unchecked
            {
                k0 += W0;
                k1 += W1;
            }
        }

        Vector256<ulong> low = Vector256.Create((ulong)uint.MaxValue);
        Vector256<ulong> even = (c0 & low) | (c1 << 32), odd = (c2 & low) | (c3 << 32);
        Vector256<ulong> front = Avx2.UnpackLow(even, odd), back = Avx2.UnpackHigh(even, odd);
        Avx2.Permute2x128(front, back, 0x20).CopyTo(words);
        Avx2.Permute2x128(front, back, 0x31).CopyTo(words[4..]);
    }
}

/// <summary>Four 32-bit words: a Philox counter or its output.</summary>
public readonly record struct PhiloxBlock(uint X0, uint X1, uint X2, uint X3);
