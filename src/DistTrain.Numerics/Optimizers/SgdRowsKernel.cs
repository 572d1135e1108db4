using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// <see cref="SgdKernel{T}"/> for a matrix whose rows have gradients of their own, most of them one and the same row of zeros: what is 0 is read from the first-level
/// cache and never written. The operations on each element are the same, and so are the bits.
/// </summary>
internal readonly unsafe struct SgdRowsKernel<T>(SgdKernel<T> sgd) : IUpdateKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public int Run<TVector, TSimd>(in UpdatePointers<T> at, int first, int end, ref T sum)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector scale = TSimd.Broadcast(sgd.GradientScale), decay = TSimd.Broadcast(sgd.Decay), momentum = TSimd.Broadcast(sgd.Momentum);
        TVector rate = TSimd.Broadcast(-sgd.LearningRate), zero = TSimd.Broadcast(T.Zero), finite = zero;
        bool decays = sgd.Decay != T.Zero, remembers = sgd.Momentum != T.Zero, nesterov = sgd.Nesterov;
        T* weights = at.Weights, state = at.State, nextWeights = at.NextWeights, nextState = at.NextState;
        int columns = at.Columns, row = first / columns, rowStart = row * columns;
        for (int i = first; i < end; i = rowStart)
        {
            T* g0 = at.GradientRows[row++], w0 = weights + rowStart, v0 = state + rowStart, nextW0 = nextWeights + rowStart, nextV0 = nextState + rowStart;
            int rowEnd = Math.Min(end - rowStart, columns);
            for (int j = i - rowStart; j <= rowEnd - TSimd.Count; j += TSimd.Count)
            {
                TVector w = TSimd.Load(w0 + j), g = TSimd.Multiply(TSimd.Load(g0 + j), scale);
                if (decays)
                {
                    g = TSimd.Fma(w, decay, g);
                }

                TVector direction = g;
                if (remembers)
                {
                    TVector v = TSimd.Fma(TSimd.Load(v0 + j), momentum, g);
                    TSimd.Store(v, nextV0 + j);
                    direction = nesterov ? TSimd.Fma(v, momentum, g) : v;
                }

                TVector next = TSimd.Fma(direction, rate, w);
                TSimd.Store(next, nextW0 + j);
                finite = TSimd.Fma(next, zero, finite);
            }

            rowStart += columns;
        }

        UpdateKernel.AddLanes<T, TVector, TSimd>(finite, ref sum);
        RunEnds<TVector, TSimd>(at, first, end, ref sum);
        return end;
    }

    /// <summary>What does not fill a vector at the end of each row, one by one. Apart from the vectors, which a call between them would have to be saved from.</summary>
    private void RunEnds<TVector, TSimd>(in UpdatePointers<T> at, int first, int end, ref T sum)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        int columns = at.Columns, row = first / columns;
        if (columns % TSimd.Count == 0 && (end - first) % TSimd.Count == 0)
        {
            return;
        }

        UpdatePointers<T> rest = at;
        for (int i = first; i < end; row++)
        {
            int rowEnd = Math.Min(end, (row + 1) * columns);
            i += (rowEnd - i) / TSimd.Count * TSimd.Count;
            rest.Gradient = at.GradientRows[row] - (row * columns);
            sgd.Run<T, SimdScalar<T>>(rest, i, rowEnd, ref sum);
            i = rowEnd;
        }
    }
}
