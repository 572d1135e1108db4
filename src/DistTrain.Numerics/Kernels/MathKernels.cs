using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// Elementary functions in one formula each, without branches, so that a scalar, a tail and every vector width run the same
/// roundings. Reduction, polynomial and reconstruction follow FreeBSD's msun (e_exp.c, e_log.c, s_expm1.c); the polynomial of
/// exp is our own fit (Chebyshev nodes, relative error below 2^-29 in float and 2^-59 in double).
/// </summary>
internal static class MathKernels
{
    // 1.5 · 2^fraction bits: adding it rounds to an integer and leaves that integer in the low bits of the sum.
    private const float RoundSingle = 12582912f;
    private const double RoundDouble = 6755399441055744.0;

    /// <summary>exp(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp<T, TVector, TSimd>(TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        // Beyond these bounds the result is 0 or infinity; a NaN is not less than either and stays.
        TVector low = Of<T, TVector, TSimd>(-104f, -746.0), high = Of<T, TVector, TSimd>(89f, 710.0);
        x = TSimd.SelectLess(x, low, low, x);
        x = TSimd.SelectLess(high, x, high, x);
        TVector p = ReducedExpM1<T, TVector, TSimd>(x, out TVector n);

        // 2^n leaves the range of normal numbers before the product does, so it is applied as two factors.
        TVector round = Of<T, TVector, TSimd>(RoundSingle, RoundDouble);
        TVector half = TSimd.Fma(n, Of<T, TVector, TSimd>(0.5f, 0.5), round);
        TVector rest = TSimd.Add(TSimd.Subtract(n, TSimd.Subtract(half, round)), round);
        TVector scale = PowerOfTwo<T, TVector, TSimd>(half);
        return TSimd.Multiply(TSimd.Fma(scale, p, scale), PowerOfTwo<T, TVector, TSimd>(rest));
    }

    /// <summary>exp(x) − 1, accurate near 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ExpM1<T, TVector, TSimd>(TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector low = Of<T, TVector, TSimd>(-60f, -60.0), high = Of<T, TVector, TSimd>(89f, 710.0);
        TVector bounded = TSimd.SelectLess(x, low, low, x);
        bounded = TSimd.SelectLess(high, bounded, high, bounded);
        TVector p = ReducedExpM1<T, TVector, TSimd>(bounded, out TVector n);

        // 2^n·p + (2^n − 1) at half size, because 2^n itself overflows just before the result does.
        TVector halfScale = PowerOfTwo<T, TVector, TSimd>(
            TSimd.Add(TSimd.Subtract(n, One<T, TVector, TSimd>()), Of<T, TVector, TSimd>(RoundSingle, RoundDouble)));
        TVector half = TSimd.Fma(halfScale, p, TSimd.Subtract(halfScale, Of<T, TVector, TSimd>(0.5f, 0.5)));
        TVector result = TSimd.Add(half, half);

        // Where x²/2 is below half a unit in the last place the result is x, with the sign of a zero and all bits of a subnormal.
        TVector tiny = Of<T, TVector, TSimd>(2.9802322e-8f, 5.5511151231257827e-17);
        return TSimd.SelectLess(Magnitude<T, TVector, TSimd>(x), tiny, x, result);
    }

    /// <summary>tanh(x) = e / (e + 2) with e = exp(2|x|) − 1, and the sign of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh<T, TVector, TSimd>(TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        // From half of this bound on the result rounds to 1.
        TVector bound = Of<T, TVector, TSimd>(20f, 40.0), one = One<T, TVector, TSimd>();
        TVector magnitude = Magnitude<T, TVector, TSimd>(x);
        TVector twice = TSimd.Add(magnitude, magnitude);
        twice = TSimd.SelectLess(bound, twice, bound, twice);
        TVector p = ReducedExpM1<T, TVector, TSimd>(twice, out TVector n);
        TVector scale = PowerOfTwo<T, TVector, TSimd>(TSimd.Add(n, Of<T, TVector, TSimd>(RoundSingle, RoundDouble)));
        TVector e = TSimd.Fma(scale, p, TSimd.Subtract(scale, one));
        return WithSign<T, TVector, TSimd>(TSimd.Divide(e, TSimd.Add(e, TSimd.Add(one, one))), x);
    }

    /// <summary>1 / (1 + exp(−x)), as e / (1 + e) with e = exp(x) below 0, where it may underflow gradually.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sigmoid<T, TVector, TSimd>(TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector one = One<T, TVector, TSimd>();
        TVector e = Exp<T, TVector, TSimd>(NegativeMagnitude<T, TVector, TSimd>(x));
        return TSimd.Divide(TSimd.SelectLess(x, TSimd.Broadcast(T.Zero), e, one), TSimd.Add(one, e));
    }

    /// <summary>ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(−|x|)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Softplus<T, TVector, TSimd>(TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector zero = TSimd.Broadcast(T.Zero), one = One<T, TVector, TSimd>();
        TVector t = Exp<T, TVector, TSimd>(NegativeMagnitude<T, TVector, TSimd>(x));

        // 1 + t = 2^k (1 + f) with f in [−0.293, 0.415]; f keeps all bits of a small t, which 1 + t would lose.
        TVector limit = Of<T, TVector, TSimd>(0.41421357f, 0.41421356237309503);
        TVector k = TSimd.SelectLess(limit, t, one, zero);
        TVector halved = TSimd.Multiply(TSimd.Subtract(t, one), Of<T, TVector, TSimd>(0.5f, 0.5));
        TVector log = LogOfOnePlus<T, TVector, TSimd>(TSimd.SelectLess(limit, t, halved, t), k);
        return TSimd.Add(TSimd.SelectLess(x, zero, zero, x), log);
    }

    /// <summary>ln(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log<T, TVector, TSimd>(TVector x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        // A subnormal is first made normal; the added exponent is taken off k.
        TVector zero = TSimd.Broadcast(T.Zero), one = One<T, TVector, TSimd>();
        TVector smallest = Bits<T, TVector, TSimd>(0x0080_0000, 0x0010_0000_0000_0000);
        TVector scaled = TSimd.Multiply(x, Of<T, TVector, TSimd>(33554432f, 18014398509481984.0));
        TVector added = TSimd.SelectLess(x, smallest, Of<T, TVector, TSimd>(25f, 54.0), zero);
        TVector normal = TSimd.SelectLess(x, smallest, scaled, x);

        // normal = 2^k m with m in [√½, √2): the exponent field of normal / √½, read with integer arithmetic.
        int fraction = Constant.FractionBits<T>();
        TVector offset = Bits<T, TVector, TSimd>(
            unchecked(0x3F80_0000u - 0x3F35_04F3u), unchecked(0x3FF0_0000_0000_0000ul - 0x3FE6_A09E_667F_3BCDul));
        TVector biased = TSimd.ShiftRight(TSimd.AddBits(normal, offset), fraction);
        TVector m = TSimd.AddBits(
            TSimd.SubtractBits(normal, TSimd.ShiftLeft(biased, fraction)), Bits<T, TVector, TSimd>(0x3F80_0000, 0x3FF0_0000_0000_0000));

        // An integer below 2^fraction bits or-ed into the bits of 2^fraction bits is their sum.
        TVector integer = TSimd.Or(biased, Of<T, TVector, TSimd>(8388608f, 4503599627370496.0));
        TVector k = TSimd.Subtract(TSimd.Subtract(integer, Of<T, TVector, TSimd>(8388608f + 127f, 4503599627370496.0 + 1023.0)), added);
        TVector result = LogOfOnePlus<T, TVector, TSimd>(TSimd.Subtract(m, one), k);

        TVector infinity = TSimd.Broadcast(T.PositiveInfinity);
        TVector special = TSimd.SelectEqual(x, zero, TSimd.Broadcast(T.NegativeInfinity), TSimd.Broadcast(T.NaN));
        return TSimd.SelectLess(zero, x, TSimd.SelectEqual(x, infinity, infinity, result), special);
    }

    /// <summary>The value in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<T, TVector, TSimd>(float single, double twice)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Broadcast(Constant.Of<T>(single, twice));

    /// <summary>1 in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector One<T, TVector, TSimd>()
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Broadcast(Constant.Of<T>(1f, 1.0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Bits<T, TVector, TSimd>(uint single, ulong twice)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Broadcast(Constant.Bits<T>(single, twice));

    /// <summary>exp(r) − 1 with x = n ln 2 + r and |r| ≤ ½ ln 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ReducedExpM1<T, TVector, TSimd>(TVector x, out TVector n)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector round = Of<T, TVector, TSimd>(RoundSingle, RoundDouble);
        n = TSimd.Subtract(TSimd.Fma(x, Of<T, TVector, TSimd>(1.44269504f, 1.4426950408889634), round), round);

        // ln 2 in two parts; the first has few enough bits for n times it to be subtracted without an error.
        TVector r = TSimd.Fma(n, Of<T, TVector, TSimd>(-6.9313812256e-01f, -6.93147180369123816490e-01), x);
        r = TSimd.Fma(n, Of<T, TVector, TSimd>(-9.0580006145e-06f, -1.90821492927058770002e-10), r);
        return TSimd.Fma(TSimd.Multiply(r, r), ExpPolynomial<T, TVector, TSimd>(r), r);
    }

    /// <summary>(exp(r) − 1 − r) / r².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ExpPolynomial<T, TVector, TSimd>(TVector r)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector q = Of<T, TVector, TSimd>(0.00019890991f, 2.0914686968086876e-09);
        if (typeof(T) == typeof(double))
        {
            q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0f, 2.5105217004720745e-08));
            q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0f, 2.75572736431103e-07));
            q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0f, 2.7557255400206422e-06));
            q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0f, 2.4801587325547743e-05));
            q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0f, 0.00019841269874820627));
        }

        q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0.0013933649752289057f, 0.0013888888888883748));
        q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0.00833331048488617f, 0.008333333333326136));
        q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0.04166646674275398f, 0.04166666666666667));
        q = TSimd.Fma(q, r, Of<T, TVector, TSimd>(0.1666666716337204f, 0.1666666666666667));
        return TSimd.Fma(q, r, Of<T, TVector, TSimd>(0.5f, 0.5));
    }

    /// <summary>ln(1 + f) + k ln 2 for f in [√½ − 1, √2 − 1] (e_log.c: s = f / (2 + f) and an even series in s).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LogOfOnePlus<T, TVector, TSimd>(TVector f, TVector k)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector s = TSimd.Divide(f, TSimd.Add(Of<T, TVector, TSimd>(2f, 2.0), f));
        TVector z = TSimd.Multiply(s, s);
        TVector series = Of<T, TVector, TSimd>(0.24279078841f, 1.479819860511658591e-01);
        if (typeof(T) == typeof(double))
        {
            series = TSimd.Fma(series, z, Of<T, TVector, TSimd>(0f, 1.531383769920937332e-01));
            series = TSimd.Fma(series, z, Of<T, TVector, TSimd>(0f, 1.818357216161805012e-01));
            series = TSimd.Fma(series, z, Of<T, TVector, TSimd>(0f, 2.222219843214978396e-01));
        }

        series = TSimd.Fma(series, z, Of<T, TVector, TSimd>(0.28498786688f, 2.857142874366239149e-01));
        series = TSimd.Fma(series, z, Of<T, TVector, TSimd>(0.40000972152f, 3.999999999940941908e-01));
        series = TSimd.Fma(series, z, Of<T, TVector, TSimd>(0.66666662693f, 6.666666666666735130e-01));

        TVector halfSquare = TSimd.Multiply(TSimd.Multiply(f, Of<T, TVector, TSimd>(0.5f, 0.5)), f);
        TVector correction = TSimd.Fma(
            s, TSimd.Fma(z, series, halfSquare), TSimd.Multiply(k, Of<T, TVector, TSimd>(9.0580006145e-06f, 1.90821492927058770002e-10)));
        TVector high = TSimd.Multiply(k, Of<T, TVector, TSimd>(6.9313812256e-01f, 6.93147180369123816490e-01));
        return TSimd.Subtract(high, TSimd.Subtract(TSimd.Subtract(halfSquare, correction), f));
    }

    /// <summary>2^n for a normal result, from n + the rounding constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector PowerOfTwo<T, TVector, TSimd>(TVector rounded)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.AddBits(TSimd.ShiftLeft(rounded, Constant.FractionBits<T>()), One<T, TVector, TSimd>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Magnitude<T, TVector, TSimd>(TVector x)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.And(x, Bits<T, TVector, TSimd>(0x7FFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector NegativeMagnitude<T, TVector, TSimd>(TVector x)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> => TSimd.Or(x, Bits<T, TVector, TSimd>(0x8000_0000, 0x8000_0000_0000_0000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector WithSign<T, TVector, TSimd>(TVector magnitude, TVector sign)
        where T : unmanaged
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T> =>
        TSimd.Or(magnitude, TSimd.And(sign, Bits<T, TVector, TSimd>(0x8000_0000, 0x8000_0000_0000_0000)));
}
