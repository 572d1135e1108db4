using DistTrain.Numerics.Randomness;

namespace DistTrain.Data;

/// <summary>
/// Which rows each step takes: a pure function of the seed and the step. Every epoch visits every row once, in an order of its
/// own (Fisher-Yates, drawn from <see cref="RandomPurpose.Shuffle"/>), or in the rows' order. The last, partial batch is kept.
/// </summary>
/// <remarks>
/// Calls may come from any thread and allocate nothing after the first three epochs. The orders of three epochs are kept in
/// arrays that later epochs reuse: a span of epoch e stays valid until a row of an epoch e′ ≠ e with e′ ≡ e (mod 3) is asked for,
/// so steps in flight may spread over any three consecutive epochs.
/// </remarks>
public sealed class BatchOrder
{
    private const int EpochsKept = 3;

    // Even, because random numbers come in pairs.
    private const int DrawnAtOnce = 256;

    private readonly ulong _seed;
    private readonly int _rows, _batchSize;
    private readonly bool _shuffle;
    private readonly int[][] _orders = [[], [], []];
    private readonly long[] _epochs = [-1, -1, -1];
    private readonly Lock _lock = new();

    /// <summary>
    /// An order of steps; throws <see cref="ArgumentOutOfRangeException"/> unless rows and batch size are at least 1.
    /// </summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="rows">Training rows.</param>
    /// <param name="batchSize">Rows of a whole step, over all replicas and micro-batches.</param>
    /// <param name="shuffle">Whether each epoch has an order of its own; otherwise 0, 1, 2, ….</param>
    public BatchOrder(ulong seed, int rows, int batchSize, bool shuffle)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        (_seed, _rows, _batchSize, _shuffle) = (seed, rows, batchSize, shuffle);
        StepsPerEpoch = 1 + ((rows - 1) / batchSize);
    }

    /// <summary>Steps that visit every row once.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Rows of a step; <paramref name="step"/> counts from 0 over the whole run.</summary>
    public int RowsInStep(long step)
    {
        (_, int first) = Locate(step);
        return Math.Min(_batchSize, _rows - first);
    }

    /// <summary>
    /// Row numbers <paramref name="start"/> … start + count − 1 of a step; see the type's remarks on how long they stay.
    /// </summary>
    public ReadOnlySpan<int> RowsOf(long step, int start, int count)
    {
        (long epoch, int first) = Locate(step);
        int inStep = Math.Min(_batchSize, _rows - first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start, (uint)inStep, nameof(start));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(inStep - start), nameof(count));
        return OrderOf(epoch).AsSpan(first + start, count);
    }

    private (long Epoch, int FirstRow) Locate(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        (long epoch, long within) = Math.DivRem(step, StepsPerEpoch);
        return (epoch, (int)within * _batchSize);
    }

    private int[] OrderOf(long epoch)
    {
        long wanted = _shuffle ? epoch : 0;
        int slot = (int)(wanted % EpochsKept);
        return Volatile.Read(ref _epochs[slot]) == wanted ? _orders[slot] : Draw(slot, wanted);
    }

    private int[] Draw(int slot, long epoch)
    {
        lock (_lock)
        {
            if (_epochs[slot] != epoch)
            {
                if (_orders[slot].Length == 0)
                {
                    _orders[slot] = new int[_rows];
                }

                Fill(_orders[slot], epoch);

                // After its rows, so that whoever finds the epoch finds them too.
                Volatile.Write(ref _epochs[slot], epoch);
            }

            return _orders[slot];
        }
    }

    private void Fill(int[] order, long epoch)
    {
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        if (!_shuffle)
        {
            return;
        }

        RandomStream stream = new(_seed, RandomPurpose.Shuffle, step: epoch);
        Span<ulong> bits = stackalloc ulong[DrawnAtOnce];
        for (int end = order.Length; end > 0; end = (end - 1) / DrawnAtOnce * DrawnAtOnce)
        {
            int first = (end - 1) / DrawnAtOnce * DrawnAtOnce;
            stream.UInt64s(first, bits[..(end - first)]);
            for (int i = end - 1; i >= Math.Max(first, 1); i--)
            {
                int other = RandomStream.Below(bits[i - first], i + 1);
                (order[i], order[other]) = (order[other], order[i]);
            }
        }
    }
}
