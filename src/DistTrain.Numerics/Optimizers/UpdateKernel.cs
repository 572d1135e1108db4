using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Optimizers;

/// <summary>The arrays of an update by pointers.</summary>
internal unsafe struct UpdatePointers<T>
    where T : unmanaged
{
    public T* Weights, Gradient, State, NextWeights, NextState;

    /// <summary>In place of the gradient: where that of each row is.</summary>
    public T** GradientRows;

    /// <summary>Columns of a row that has a gradient of its own.</summary>
    public int Columns;

    /// <summary>Elements of the parameter, and so from one state vector to the next.</summary>
    public int Length;
}

/// <summary>An update in one pass over the parameter.</summary>
internal interface IUpdateKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Writes what comes next from <paramref name="first"/> on, as far as whole vectors reach; returns where that is. Adds 0·w of every next weight to
    /// <paramref name="sum"/>: 0 for a finite one and NaN for every other, and a NaN stays.</summary>
    int Run<TVector, TSimd>(in UpdatePointers<T> at, int first, int end, ref T sum)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>;
}

/// <summary>Runs kernels with the widest vectors of the processor, and the rest one by one.</summary>
internal static unsafe class UpdateKernel
{
    // Setting up vectors takes longer than so many elements, of which half at most would fill one.
    private const int FewElements = 16;

    /// <summary>Writes the next weights and state from <paramref name="first"/> to <paramref name="end"/>; false when one of these weights is not finite.</summary>
    /// <param name="kernel">By reference, because a copy of what was just written in parts would have to wait for them; it does not change.</param>
    /// <param name="arrays">What it works on.</param>
    /// <param name="first">First element.</param>
    /// <param name="end">The one after the last.</param>
    public static bool Run<T, TKernel>(ref TKernel kernel, in UpdateArrays<T> arrays, int first, int end)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : struct, IUpdateKernel<T>
    {
        fixed (T* w = arrays.Weights, g = arrays.Gradient, s = arrays.State, nextW = arrays.NextWeights, nextS = arrays.NextState)
        fixed (nint* rows = arrays.GradientRows)
        {
            UpdatePointers<T> at = new()
            {
                Weights = w, Gradient = g - arrays.GradientFirst, State = s, NextWeights = nextW, NextState = nextS, Length = arrays.Weights.Length,
                GradientRows = (T**)rows, Columns = arrays.Columns,
            };
            T sum = T.Zero;
            int done = VectorWidths.Resolve(VectorWidth.Best) switch
            {
                _ when end - first < FewElements => first,
                VectorWidth.Bits512 => kernel.Run<Vector512<T>, Simd512<T>>(at, first, end, ref sum),
                VectorWidth.Bits256 => kernel.Run<Vector256<T>, Simd256<T>>(at, first, end, ref sum),
                VectorWidth.Bits128 => kernel.Run<Vector128<T>, Simd128<T>>(at, first, end, ref sum),
                _ => first,
            };
            kernel.Run<T, SimdScalar<T>>(at, done, end, ref sum);
            return sum == T.Zero;
        }
    }

    /// <summary>Adds the lanes of a vector to a sum: zeros, and NaN where something is not finite, so that their order does not matter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddLanes<T, TVector, TSimd>(TVector vector, ref T sum)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        if (typeof(TVector) == typeof(T))
        {
            // Through memory it would be read back as a vector, which waits.
            sum += Unsafe.BitCast<TVector, T>(vector);
            return;
        }

        Vector512<T> lanes = Vector512<T>.Zero;
        TSimd.Store(vector, (T*)&lanes);
        sum += Vector512.Sum(lanes);
    }
}
