using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>Sums over 64 bytes of lanes whatever the vector width, so that the order of additions is always the same.</summary>
internal static unsafe class LaneSums<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>16 for float, 8 for double.</summary>
    public static int Lanes => 64 / sizeof(T);

    /// <summary>lanes[i mod Lanes] += x[i] or x[i]², in the order of i.</summary>
    public static void Add(T* x, int length, T* lanes, bool squares, VectorWidth width)
    {
        int whole = length - (length % Lanes);
        switch (VectorWidths.Resolve(width))
        {
            case VectorWidth.Bits512:
                AddWhole<Vector512<T>, Simd512<T>>(x, whole, lanes, squares);
                break;
            case VectorWidth.Bits256:
                AddWhole<Vector256<T>, Simd256<T>>(x, whole, lanes, squares);
                break;
            case VectorWidth.Bits128:
                AddWhole<Vector128<T>, Simd128<T>>(x, whole, lanes, squares);
                break;
            default:
                AddWhole<T, SimdScalar<T>>(x, whole, lanes, squares);
                break;
        }

        for (int i = whole; i < length; i++)
        {
            lanes[i - whole] = squares ? T.FusedMultiplyAdd(x[i], x[i], lanes[i - whole]) : lanes[i - whole] + x[i];
        }
    }

    /// <summary>The lanes added up by halves.</summary>
    public static T Total(T* lanes)
    {
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int j = 0; j < half; j++)
            {
                lanes[j] += lanes[j + half];
            }
        }

        return lanes[0];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddWhole<TVector, TSimd>(T* x, int whole, T* lanes, bool squares)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        for (int group = 0; group < Lanes; group += TSimd.Count)
        {
            TVector sum = TSimd.Load(lanes + group);
            if (squares)
            {
                for (int i = group; i < whole; i += Lanes)
                {
                    TVector value = TSimd.Load(x + i);
                    sum = TSimd.Fma(value, value, sum);
                }
            }
            else
            {
                for (int i = group; i < whole; i += Lanes)
                {
                    sum = TSimd.Add(sum, TSimd.Load(x + i));
                }
            }

            TSimd.Store(sum, lanes + group);
        }
    }
}
