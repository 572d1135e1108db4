using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>What a reduction does with one element and with two finished lanes.</summary>
internal interface IReduction
{
    /// <summary>The lane's new state.</summary>
    static abstract TVector Accumulate<T, TVector, TSimd>(TVector state, TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>;

    /// <summary>Two lanes as one.</summary>
    static abstract TVector Join<T, TVector, TSimd>(TVector low, TVector high)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>;
}

/// <summary>Σ x.</summary>
internal readonly struct SumReduction : IReduction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Accumulate<T, TVector, TSimd>(TVector state, TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Add(state, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Join<T, TVector, TSimd>(TVector low, TVector high)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Add(low, high);
}

/// <summary>Σ x², one rounding for each element.</summary>
internal readonly struct SquareReduction : IReduction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Accumulate<T, TVector, TSimd>(TVector state, TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Fma(x, x, state);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Join<T, TVector, TSimd>(TVector low, TVector high)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Add(low, high);
}

/// <summary>The largest x; a NaN is never larger.</summary>
internal readonly struct MaxReduction : IReduction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Accumulate<T, TVector, TSimd>(TVector state, TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.SelectLess(state, x, x, state);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Join<T, TVector, TSimd>(TVector low, TVector high)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.SelectLess(low, high, high, low);
}

/// <summary>Σ 0·x: 0, or NaN where an x is not finite.</summary>
internal readonly struct ZeroProductReduction : IReduction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Accumulate<T, TVector, TSimd>(TVector state, TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Fma(x, TSimd.Broadcast(T.Zero), state);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Join<T, TVector, TSimd>(TVector low, TVector high)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Add(low, high);
}
