using System.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Optimizers;

/// <summary>An update of a large parameter split over threads. Rules are element-wise, so no split changes a bit. Reused by the thread that forks.</summary>
internal sealed unsafe class UpdateWork<T> : IChunkedWork
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Below so many elements, about five microseconds of one thread, another one would come too late.</summary>
    public const int LengthMin = 49_152;

    // Several to claim for each thread, each a multiple of the cache line.
    private const int ChunkLength = 16_384;

    [ThreadStatic]
    private static UpdateWork<T>? t_spare;

    private UpdateRule<T> _rule = null!;
    private Coefficients<T> _coefficients;
    private T _scale;
    private T* _weights, _gradient, _state, _nextWeights, _nextState;
    private nint* _rows;
    private int _length, _gradientLength, _stateLength, _rowCount, _columns;
    private volatile bool _notFinite;

    /// <summary>Computes the next weights and state with whatever threads <paramref name="fork"/> offers.</summary>
    /// <returns>Whether every next weight is finite.</returns>
    public static bool Run(UpdateRule<T> rule, in Coefficients<T> coefficients, in UpdateArrays<T> arrays, IForkJoin fork)
    {
        // A nested fork on this thread would find no spare and make its own.
        UpdateWork<T> work = t_spare ?? new UpdateWork<T>();
        t_spare = null;
        (work._rule, work._coefficients, work._scale) = (rule, coefficients, arrays.GradientScale);
        (work._length, work._stateLength, work._notFinite) = (arrays.Weights.Length, arrays.State.Length, false);
        (work._gradientLength, work._rowCount, work._columns) = (arrays.Gradient.Length, arrays.GradientRows.Length, arrays.Columns);
        fixed (T* w = arrays.Weights, g = arrays.Gradient, s = arrays.State, nextW = arrays.NextWeights, nextS = arrays.NextState)
        fixed (nint* rows = arrays.GradientRows)
        {
            work._rows = rows;
            work._weights = w;
            work._gradient = g;
            work._state = s;
            work._nextWeights = nextW;
            work._nextState = nextS;
            fork.Run(work, (arrays.Weights.Length + ChunkLength - 1) / ChunkLength);
        }

        t_spare = work;
        return !work._notFinite;
    }

    /// <inheritdoc/>
    public void RunChunk(int chunk)
    {
        int first = chunk * ChunkLength, end = Math.Min(_length, first + ChunkLength);
        UpdateArrays<T> arrays = new()
        {
            Weights = new ReadOnlySpan<T>(_weights, _length),
            Gradient = new ReadOnlySpan<T>(_gradient, _gradientLength),
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
