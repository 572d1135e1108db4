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

    /// <summary>The upper half of the lanes joined to the lower half until one is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Total<TReduction>(T* lanes)
        where TReduction : struct, IReduction
    {
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int j = 0; j < half; j++)
            {
                lanes[j] = TReduction.Join<T>(lanes[j], lanes[j + half]);
            }
        }

        return lanes[0];
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
