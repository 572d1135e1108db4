using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// An update of a large parameter split over threads, or by a gradient that is a sum, of which each block is used up while it is in the cache. Rules are element-wise, so no split changes a bit. Reused by
/// the thread that asks.
/// </summary>
internal sealed unsafe class UpdateWork<T> : IChunkedWork
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Below so many elements, about five microseconds of one thread, another one would come too late.</summary>
    public const int LengthMin = 49_152;

    // Several to claim for each thread, each a multiple of the cache line.
    private const int ChunkLength = 16_384;

    // Of a sum: 8 KB of doubles, a quarter of a first-level cache.
    private const int BlockLength = 1024;

    [ThreadStatic]
    private static UpdateWork<T>? t_spare;

    private UpdateRule<T> _rule = null!;
    private Coefficients<T> _coefficients;
    private T _scale;
    private T* _weights, _gradient, _state, _nextWeights, _nextState;
    private nint* _rows, _summands;
    private int _length, _gradientLength, _stateLength, _rowCount, _summandCount, _columns;
    private volatile bool _notFinite;

    /// <summary>Computes the next weights and state with whatever threads <paramref name="fork"/> offers; null for none.</summary>
    /// <returns>Whether every next weight is finite.</returns>
    public static bool Run(UpdateRule<T> rule, in Coefficients<T> coefficients, in UpdateArrays<T> arrays, IForkJoin? fork)
    {
        // A nested fork on this thread would find no spare and make its own.
        UpdateWork<T> work = t_spare ?? new UpdateWork<T>();
        t_spare = null;
        (work._rule, work._coefficients, work._scale) = (rule, coefficients, arrays.GradientScale);
        (work._length, work._stateLength, work._notFinite) = (arrays.Weights.Length, arrays.State.Length, false);
        (work._gradientLength, work._rowCount, work._columns) = (arrays.Gradient.Length, arrays.GradientRows.Length, arrays.Columns);
        work._summandCount = arrays.Summands.Length;
        fixed (T* w = arrays.Weights, g = arrays.Gradient, s = arrays.State, nextW = arrays.NextWeights, nextS = arrays.NextState)
        fixed (nint* rows = arrays.GradientRows, summands = arrays.Summands)
        {
            work._rows = rows;
            work._summands = summands;
            work._weights = w;
            work._gradient = g;
            work._state = s;
            work._nextWeights = nextW;
            work._nextState = nextS;
            int chunks = (arrays.Weights.Length + ChunkLength - 1) / ChunkLength;
            if (fork is not null)
            {
                fork.Run(work, chunks);
            }

            for (int chunk = 0; fork is null && chunk < chunks; chunk++)
            {
                work.RunChunk(chunk);
            }
        }

        t_spare = work;
        return !work._notFinite;
    }

    /// <inheritdoc/>
    public void RunChunk(int chunk)
    {
        int first = chunk * ChunkLength, end = Math.Min(_length, first + ChunkLength);
        if (_summandCount > 0)
        {
            RunSum(first, end);
        }
        else
        {
            Apply(new ReadOnlySpan<T>(_gradient, _gradientLength), 0, first, end);
        }
    }

    [SkipLocalsInit]
    private void RunSum(int first, int end)
    {
        Span<T> total = stackalloc T[BlockLength];
        for (int start = first; start < end; start += BlockLength)
        {
            Span<T> sum = total[..Math.Min(BlockLength, end - start)];
            TensorPrimitives.Add(Summand(0, start, sum.Length), Summand(1, start, sum.Length), sum);
            for (int i = 2; i < _summandCount; i++)
            {
                TensorPrimitives.Add(sum, Summand(i, start, sum.Length), sum);
            }

            Apply(sum, start, start, start + sum.Length);
        }
    }

    private ReadOnlySpan<T> Summand(int index, int start, int count) => new((T*)_summands[index] + start, count);

    /// <summary>Updates from <paramref name="first"/> to <paramref name="end"/>.</summary>
    /// <param name="gradient">The gradient, or a block of it.</param>
    /// <param name="gradientFirst">Which value it begins with.</param>
    /// <param name="first">The first value.</param>
    /// <param name="end">Behind the last one.</param>
    private void Apply(ReadOnlySpan<T> gradient, int gradientFirst, int first, int end)
    {
        UpdateArrays<T> arrays = new()
        {
            Weights = new ReadOnlySpan<T>(_weights, _length),
            Gradient = gradient,
            GradientFirst = gradientFirst,
            GradientRows = new ReadOnlySpan<nint>(_rows, _rowCount),
            Columns = _columns,
            GradientScale = _scale,
            State = new ReadOnlySpan<T>(_state, _stateLength),
            NextWeights = new Span<T>(_nextWeights, _length),
            NextState = new Span<T>(_nextState, _stateLength),
        };
        if (!_rule.Apply(arrays, _coefficients, first, end))
        {
            _notFinite = true;
        }
    }
}
