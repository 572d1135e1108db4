using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>
/// An expansion by blocks of columns: what a block needs of E, W₀ and the results stays in cache until all parts have it, and
/// threads take different blocks.
/// </summary>
internal sealed unsafe class ExpansionWork<T> : IChunkedWork
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Half of a usual second-level cache.
    private const int BlockBytes = 512 * 1024;
    private const int Grain = 64;

    private readonly ExpansionPart<T>[] _parts;
    private readonly TensorView<T> _first;
    private TensorView<T> _directions;
    private int _start, _columns;

    public ExpansionWork(ReadOnlySpan<ExpansionPart<T>> parts, TensorView<T> first) => (_parts, _first) = (parts.ToArray(), first);

    /// <summary>Adds the products of rows of E, from <paramref name="start"/> on; the first ones also bring W₀.</summary>
    public void Add(int start, TensorView<T> directions, IForkJoin fork)
    {
        (_start, _directions) = (start, directions);
        int fitting = BlockBytes / (Math.Max(1, directions.Rows + _first.Rows) * sizeof(T)) / Grain * Grain;
        _columns = Math.Clamp(fitting, 2 * Grain, 16 * Grain);
        fork.Run(this, (_first.Columns + _columns - 1) / _columns);
    }

    /// <inheritdoc/>
    public void RunChunk(int chunk)
    {
        int begin = chunk * _columns, end = Math.Min(_first.Columns, begin + _columns);
        foreach (ExpansionPart<T> part in _parts)
        {
            // Without weight decay the velocity holds nothing of W₀.
            bool hasFirst = part.Scale != T.Zero;
            for (int row = 0; row < _first.Rows && _start == 0 && hasFirst; row++)
            {
                TensorPrimitives.Multiply(_first.Row(row)[begin..end], part.Scale, part.Result.Row(row)[begin..end]);
            }

            TensorView<T> theta = part.Theta.Slice(_start * part.Theta.Columns, _directions.Rows, part.Theta.Columns);
            GemmProblem<T>.Create(theta, true, _directions, false, part.Result, accumulate: hasFirst || _start > 0, default, out GemmProblem<T> whole);
            Gemm.Run(whole.Columns(begin, end), GemmPath.Best, VectorWidth.Best);
        }
    }
}
