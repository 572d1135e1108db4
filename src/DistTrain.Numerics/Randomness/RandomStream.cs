namespace DistTrain.Numerics.Randomness;

/// <summary>
/// Random numbers addressed by position: element <c>i</c> of a stream is a pure function of
/// (seed, purpose, layer, replica, step, sample, i). There is no state, so the order of draws, the actor that
/// draws, a restart and the number of nodes cannot change a value. A stream is split by making another key.
/// </summary>
/// <remarks>
/// The key of a stream is one Philox block over (purpose, layer, replica) under the seed; the counter is
/// (element block, sample, step low, step high ^ sample high). Each block gives two 64-bit elements.
/// </remarks>
public readonly struct RandomStream
{
    private readonly ulong _key;
    private readonly uint _sample, _stepLow, _high;

    /// <summary>The stream for one position. Arguments that a purpose does not use stay 0.</summary>
    public RandomStream(ulong seed, RandomPurpose purpose, int layer = 0, int replica = 0, long step = 0, long sample = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfNegative(replica);
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        PhiloxBlock derived = Philox.Block(new PhiloxBlock((uint)purpose, (uint)layer, (uint)replica, 0xD157_7A1Eu), seed);
        _key = derived.X0 | ((ulong)derived.X1 << 32);
        _sample = (uint)sample;
        _stepLow = (uint)step;
        _high = (uint)(step >> 32) ^ ((uint)(sample >> 32) << 16);
    }

    /// <summary>Element <paramref name="index"/> as 64 random bits; index in [0, 2^33).</summary>
    public ulong UInt64(long index)
    {
        PhiloxBlock block = Philox.Block(new PhiloxBlock((uint)(index >> 1), _sample, _stepLow, _high), _key);
        return (index & 1) == 0 ? block.X0 | ((ulong)block.X1 << 32) : block.X2 | ((ulong)block.X3 << 32);
    }

    /// <summary>
    /// Elements <paramref name="first"/>, <paramref name="first"/> + 1, … as 64 random bits each: those of <see
    /// cref="UInt64"/>, many at a time.
    /// <paramref name="first"/> is even.
    /// </summary>
    public void UInt64s(long first, Span<ulong> elements)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(first & 1, 0);
        int done = Philox.Blocks(new PhiloxBlock((uint)(first >> 1), _sample, _stepLow, _high), _key, elements);
        for (int i = done; i < elements.Length; i++)
        {
            elements[i] = UInt64(first + i);
        }
    }

    /// <summary>Element <paramref name="index"/>, uniform in [0, 1), a multiple of 2^-53.</summary>
    public double Uniform(long index) => Uniform(UInt64(index));

    /// <summary>The number in [0, 1) that 64 random bits stand for, a multiple of 2^-53.</summary>
    public static double Uniform(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));

    /// <summary>Element <paramref name="index"/>, uniform in [low, high).</summary>
    public double Uniform(long index, double low, double high) => low + ((high - low) * Uniform(index));

    /// <summary>Element <paramref name="index"/>, uniform over 0 … bound−1; the bias is below bound / 2^64.</summary>
    public int Below(long index, int bound) => Below(UInt64(index), bound);

    /// <summary>The number in 0 … bound−1 that 64 random bits stand for.</summary>
    public static int Below(ulong bits, int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)Math.BigMul(bits, (ulong)bound, out _);
    }
}
