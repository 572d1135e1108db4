using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>Reduces spans over 64 bytes of lanes whatever the vector width, so that the order of operations is always the
/// same.</summary>
internal static unsafe class LaneReduction<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>16 for float, 8 for double.</summary>
    public static int Lanes => 64 / sizeof(T);

    /// <summary>Takes x into the lanes and joins them.</summary>
    public static T Run<TReduction>(T* x, int length, T* lanes, VectorWidth width)
        where TReduction : struct, IReduction
    {
        Accumulate<TReduction>(x, length, lanes, width);
        return Total<TReduction>(lanes);
    }

    /// <summary>Takes x[i] into lanes[i mod Lanes], in the order of i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate<TReduction>(T* x, int length, T* lanes, VectorWidth width)
        where TReduction : struct, IReduction
    {
        int whole = length - (length % Lanes);
        switch (VectorWidths.Resolve(width))
        {
            case VectorWidth.Bits512:
                AccumulateWhole<TReduction, Vector512<T>, Simd512<T>>(x, whole, lanes);
                break;
            case VectorWidth.Bits256:
                AccumulateWhole<TReduction, Vector256<T>, Simd256<T>>(x, whole, lanes);
                break;
            case VectorWidth.Bits128:
                AccumulateWhole<TReduction, Vector128<T>, Simd128<T>>(x, whole, lanes);
                break;
            default:
                AccumulateWhole<TReduction, T, SimdScalar<T>>(x, whole, lanes);
                break;
        }

        for (int i = whole; i < length; i++)
        {
            lanes[i - whole] = TReduction.Accumulate<T, T, SimdScalar<T>>(lanes[i - whole], x[i]);
        }
    }

    /// <summary>The upper half of the lanes joined to the lower half until one is left. The lanes stay as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Total<TReduction>(T* lanes)
        where TReduction : struct, IReduction =>
        Total<TReduction>(Vector256.Load(lanes), Vector256.Load(lanes + Vector256<T>.Count));

    /// <summary>As <see cref="Total{TReduction}(T*)"/>, of lanes in registers. A vector's halves are joined whole, which is the
    /// same order whatever the width that the lanes were filled with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Total<TReduction>(Vector256<T> lower, Vector256<T> upper)
        where TReduction : struct, IReduction
    {
        Vector256<T> half = TReduction.Join<T, Vector256<T>, Simd256<T>>(lower, upper);
        Vector128<T> quarter = TReduction.Join<T, Vector128<T>, Simd128<T>>(half.GetLower(), half.GetUpper());

        // Joins go on in vectors to the last, because a scalar choice between two lanes would be a branch that nobody can predict.
        if (typeof(T) == typeof(double))
        {
            Vector128<T> other = Vector128.Shuffle(quarter.AsDouble(), Vector128.Create(1L, 0L)).As<double, T>();
            return TReduction.Join<T, Vector128<T>, Simd128<T>>(quarter, other).ToScalar();
        }

        Vector128<T> pair = Vector128.Shuffle(quarter.AsSingle(), Vector128.Create(2, 3, 0, 1)).As<float, T>();
        pair = TReduction.Join<T, Vector128<T>, Simd128<T>>(quarter, pair);
        Vector128<T> last = Vector128.Shuffle(pair.AsSingle(), Vector128.Create(1, 0, 3, 2)).As<float, T>();
        return TReduction.Join<T, Vector128<T>, Simd128<T>>(pair, last).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AccumulateWhole<TReduction, TVector, TSimd>(T* x, int whole, T* lanes)
        where TReduction : struct, IReduction
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        for (int group = 0; group < Lanes && whole > 0; group += TSimd.Count)
        {
            TVector state = TSimd.Load(lanes + group);
            for (int i = group; i < whole; i += Lanes)
            {
                state = TReduction.Accumulate<T, TVector, TSimd>(state, TSimd.Load(x + i));
            }

            TSimd.Store(state, lanes + group);
        }
    }
}
