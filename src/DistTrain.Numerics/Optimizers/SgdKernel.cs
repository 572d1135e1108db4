using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// Gradient descent, with or without momentum, in one pass: every value is read and written once, which is what bounds the time of large
/// parameters. Its operations are those of <see cref="SgdRule{T}"/>, so its bits are too.
/// </summary>
internal readonly unsafe struct SgdKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public required T GradientScale { get; init; }

    public required T Decay { get; init; }

    public required T Momentum { get; init; }

    public required T LearningRate { get; init; }

    public required bool Nesterov { get; init; }

    /// <summary>Writes the next weights and velocity from <paramref name="first"/> to <paramref name="end"/>; false when one of these weights is not finite.</summary>
    public bool Run(
        ReadOnlySpan<T> weights, ReadOnlySpan<T> gradient, ReadOnlySpan<T> velocity, Span<T> nextWeights, Span<T> nextVelocity, int first, int end)
    {
        fixed (T* w = weights, g = gradient, v = velocity, nextW = nextWeights, nextV = nextVelocity)
        {
            T sum = T.Zero;
            int done = first;
            switch (VectorWidths.Resolve(VectorWidth.Best))
            {
                case VectorWidth.Bits512:
                    done = Run<Vector512<T>, Simd512<T>>(w, g, v, nextW, nextV, first, end, ref sum);
                    break;
                case VectorWidth.Bits256:
                    done = Run<Vector256<T>, Simd256<T>>(w, g, v, nextW, nextV, first, end, ref sum);
                    break;
                case VectorWidth.Bits128:
                    done = Run<Vector128<T>, Simd128<T>>(w, g, v, nextW, nextV, first, end, ref sum);
                    break;
            }

            Run<T, SimdScalar<T>>(w, g, v, nextW, nextV, done, end, ref sum);
            return sum == T.Zero;
        }
    }

    /// <summary>The elements that fill whole vectors; returns where they end. 0·x is 0 for a finite x and NaN for every other,
    /// and a NaN stays in <paramref name="sum"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Run<TVector, TSimd>(T* weights, T* gradient, T* velocity, T* nextWeights, T* nextVelocity, int first, int end, ref T sum)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector scale = TSimd.Broadcast(GradientScale), decay = TSimd.Broadcast(Decay), momentum = TSimd.Broadcast(Momentum);
        TVector rate = TSimd.Broadcast(-LearningRate), zero = TSimd.Broadcast(T.Zero), finite = zero;
        bool decays = Decay != T.Zero, remembers = Momentum != T.Zero, nesterov = Nesterov;
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
                TVector v = TSimd.Fma(TSimd.Load(velocity + i), momentum, g);
                TSimd.Store(v, nextVelocity + i);
                direction = nesterov ? TSimd.Fma(v, momentum, g) : v;
            }

            TVector next = TSimd.Fma(direction, rate, w);
            TSimd.Store(next, nextWeights + i);
            finite = TSimd.Fma(next, zero, finite);
        }

        T* lanes = stackalloc T[64 / sizeof(T)];
        TSimd.Store(finite, lanes);
        for (int lane = 0; lane < TSimd.Count; lane++)
        {
            sum += lanes[lane];
        }

        return i;
    }
}
