using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// Gradient descent, with or without momentum, in one pass: every value is read and written once, which is what bounds the time of large
/// parameters. Its operations are those of <see cref="SgdRule{T}"/>, so its bits are too.
/// </summary>
internal readonly unsafe struct SgdKernel<T> : IUpdateKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public required T GradientScale { get; init; }

    public required T Decay { get; init; }

    public required T Momentum { get; init; }

    public required T LearningRate { get; init; }

    public required bool Nesterov { get; init; }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Run<TVector, TSimd>(in UpdatePointers<T> at, int first, int end, ref T sum)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector scale = TSimd.Broadcast(GradientScale), decay = TSimd.Broadcast(Decay), momentum = TSimd.Broadcast(Momentum);
        TVector rate = TSimd.Broadcast(-LearningRate), zero = TSimd.Broadcast(T.Zero), finite = zero;
        bool decays = Decay != T.Zero, remembers = Momentum != T.Zero, nesterov = Nesterov;
        T* weights = at.Weights, gradient = at.Gradient, state = at.State, nextWeights = at.NextWeights, nextState = at.NextState;
        int i = first;
        for (; i <= end - TSimd.Count; i += TSimd.Count)
        {
            TVector w = TSimd.Load(weights + i), g = TSimd.Multiply(TSimd.Load(gradient + i), scale);
            if (decays)
            {
                g = TSimd.Fma(w, decay, g);
            }

            TVector direction = g;
            if (remembers)
            {
                TVector v = TSimd.Fma(TSimd.Load(state + i), momentum, g);
                TSimd.Store(v, nextState + i);
                direction = nesterov ? TSimd.Fma(v, momentum, g) : v;
            }

            TVector next = TSimd.Fma(direction, rate, w);
            TSimd.Store(next, nextWeights + i);
            finite = TSimd.Fma(next, zero, finite);
        }

        if (i > first)
        {
            UpdateKernel.AddLanes<T, TVector, TSimd>(finite, ref sum);
        }

        return i;
    }
}
