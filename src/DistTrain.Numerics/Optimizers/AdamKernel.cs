using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// Adam and AdamW in one pass: every value is read and written once, which is what bounds the time of large parameters. Its operations are those of
/// <see cref="AdamRule{T}"/>, so its bits are too.
/// </summary>
internal readonly unsafe struct AdamKernel<T> : IUpdateKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public required T GradientScale { get; init; }

    /// <summary>Adam's λ; 0 under AdamW.</summary>
    public required T Decay { get; init; }

    /// <summary>AdamW's 1 − ηλ; 1 under Adam.</summary>
    public required T Keep { get; init; }

    public required T Beta1 { get; init; }

    public required T Beta2 { get; init; }

    /// <summary>1 − β₁.</summary>
    public required T Rest1 { get; init; }

    /// <summary>1 − β₂.</summary>
    public required T Rest2 { get; init; }

    /// <summary>η / (1 − β₁ᵗ).</summary>
    public required T StepSize { get; init; }

    /// <summary>√(1 − β₂ᵗ).</summary>
    public required T RootCorrection { get; init; }

    public required T Epsilon { get; init; }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Run<TVector, TSimd>(in UpdatePointers<T> at, int first, int end, ref T sum)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector scale = TSimd.Broadcast(GradientScale), decay = TSimd.Broadcast(Decay), keep = TSimd.Broadcast(Keep);
        TVector beta1 = TSimd.Broadcast(Beta1), beta2 = TSimd.Broadcast(Beta2), rest1 = TSimd.Broadcast(Rest1), rest2 = TSimd.Broadcast(Rest2);
        TVector step = TSimd.Broadcast(-StepSize), root = TSimd.Broadcast(RootCorrection), epsilon = TSimd.Broadcast(Epsilon);
        TVector zero = TSimd.Broadcast(T.Zero), finite = zero;
        bool decays = Decay != T.Zero, shrinks = Keep != T.One;
        T* weights = at.Weights, gradient = at.Gradient, state = at.State, nextWeights = at.NextWeights, nextState = at.NextState;
        int i = first, length = at.Length;
        for (; i <= end - TSimd.Count; i += TSimd.Count)
        {
            TVector w = TSimd.Load(weights + i), g = TSimd.Multiply(TSimd.Load(gradient + i), scale);
            if (shrinks)
            {
                w = TSimd.Multiply(w, keep);
            }
            else if (decays)
            {
                g = TSimd.Fma(w, decay, g);
            }

            TVector m = TSimd.Fma(g, rest1, TSimd.Multiply(TSimd.Load(state + i), beta1));
            TVector v = TSimd.Fma(TSimd.Multiply(g, rest2), g, TSimd.Multiply(TSimd.Load(state + length + i), beta2));
            TSimd.Store(m, nextState + i);
            TSimd.Store(v, nextState + length + i);
            TVector divisor = TSimd.Add(TSimd.Divide(TSimd.Sqrt(v), root), epsilon);
            TVector next = TSimd.Fma(TSimd.Divide(m, divisor), step, w);
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
