using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Optimizers;

/// <summary>One block of a parameter, with its gradient (which the rule may overwrite) and a vector of working memory.</summary>
internal readonly ref struct UpdateBlock<T>
{
    public ReadOnlySpan<T> Weights { get; init; }

    public ReadOnlySpan<T> State0 { get; init; }

    public ReadOnlySpan<T> State1 { get; init; }

    public Span<T> NextWeights { get; init; }

    public Span<T> NextState0 { get; init; }

    public Span<T> NextState1 { get; init; }

    public Span<T> Gradient { get; init; }

    public Span<T> Work { get; init; }
}

/// <summary>A rule made of vector operations on blocks that stay in the first-level cache.</summary>
internal abstract class BlockRule<T> : UpdateRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Eight vectors of a block of doubles fill 32 KB.
    private const int BlockLength = 512;

    public sealed override bool Apply(in UpdateArrays<T> arrays, in Coefficients<T> c, int first, int end)
    {
        int length = arrays.Weights.Length;
        bool finite = true;
        Span<T> work = stackalloc T[2 * BlockLength];
        for (int start = first; start < end; start += BlockLength)
        {
            int count = Math.Min(BlockLength, end - start);
            UpdateBlock<T> block = new()
            {
                Weights = arrays.Weights.Slice(start, count),
                NextWeights = arrays.NextWeights.Slice(start, count),
                State0 = StateCount > 0 ? arrays.State.Slice(start, count) : default,
                State1 = StateCount > 1 ? arrays.State.Slice(length + start, count) : default,
                NextState0 = StateCount > 0 ? arrays.NextState.Slice(start, count) : default,
                NextState1 = StateCount > 1 ? arrays.NextState.Slice(length + start, count) : default,
                Gradient = work[..count],
                Work = work.Slice(BlockLength, count),
            };
            TensorPrimitives.Multiply(arrays.Gradient.Slice(start - arrays.GradientFirst, count), arrays.GradientScale, block.Gradient);
            Update(block, c);
            finite &= Elementwise.AllFinite<T>(block.NextWeights);
        }

        return finite;
    }

    /// <summary>Writes the next weights and state of a block.</summary>
    protected abstract void Update(in UpdateBlock<T> block, in Coefficients<T> c);
}
