using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>One element of the result from one element of each of two inputs and a scalar; an operation may ignore
/// some.</summary>
internal interface IElementOperation
{
    /// <summary>True when the second input is read.</summary>
    static abstract bool TakesTwo { get; }

    /// <summary>The result, lane by lane.</summary>
    static abstract TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>;
}

/// <summary>exp(a).</summary>
internal readonly struct ExpOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        MathKernels.Exp<T, TVector, TSimd>(a);
}

/// <summary>exp(a − scalar).</summary>
internal readonly struct ShiftedExpOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        MathKernels.Exp<T, TVector, TSimd>(TSimd.Subtract(a, scalar));
}

/// <summary>exp(a) − 1.</summary>
internal readonly struct ExpM1Operation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        MathKernels.ExpM1<T, TVector, TSimd>(a);
}

/// <summary>ln(a).</summary>
internal readonly struct LogOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        MathKernels.Log<T, TVector, TSimd>(a);
}

/// <summary>tanh(a).</summary>
internal readonly struct TanhOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        MathKernels.Tanh<T, TVector, TSimd>(a);
}

/// <summary>1 / (1 + exp(−a)).</summary>
internal readonly struct SigmoidOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        MathKernels.Sigmoid<T, TVector, TSimd>(a);
}

/// <summary>ln(1 + exp(a)).</summary>
internal readonly struct SoftplusOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        MathKernels.Softplus<T, TVector, TSimd>(a);
}

/// <summary>max(a, 0); adding 0 turns −0 into 0, and a NaN is not less than 0 and stays.</summary>
internal readonly struct ReluOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.Add(TSimd.SelectLess(a, TSimd.Broadcast(T.Zero), TSimd.Broadcast(T.Zero), a), TSimd.Broadcast(T.Zero));
}

/// <summary>(a − b) · scalar.</summary>
internal readonly struct ScaledDifferenceOperation : IElementOperation
{
    public static bool TakesTwo => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.Multiply(TSimd.Subtract(a, b), scalar);
}

/// <summary>a / scalar.</summary>
internal readonly struct DividedByOperation : IElementOperation
{
    public static bool TakesTwo => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.Divide(a, scalar);
}

/// <summary>scalar · a + b, rounded once.</summary>
internal readonly struct AddScaledOperation : IElementOperation
{
    public static bool TakesTwo => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.Fma(scalar, a, b);
}

/// <summary>a where b is above 0, else 0.</summary>
internal readonly struct ReluGradientOperation : IElementOperation
{
    public static bool TakesTwo => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.SelectLess(TSimd.Broadcast(T.Zero), b, a, TSimd.Broadcast(T.Zero));
}

/// <summary>a (1 − b²).</summary>
internal readonly struct TanhGradientOperation : IElementOperation
{
    public static bool TakesTwo => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.Multiply(a, TSimd.Fma(TSimd.Subtract(TSimd.Broadcast(T.Zero), b), b, MathKernels.One<T, TVector, TSimd>()));
}

/// <summary>a b (1 − b).</summary>
internal readonly struct SigmoidGradientOperation : IElementOperation
{
    public static bool TakesTwo => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<T, TVector, TSimd>(TVector a, TVector b, TVector scalar)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.Multiply(a, TSimd.Multiply(b, TSimd.Subtract(MathKernels.One<T, TVector, TSimd>(), b)));
}
