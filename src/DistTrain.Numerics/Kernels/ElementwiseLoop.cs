using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>Runs an element-wise operation over spans. The result may lie exactly over an input.</summary>
internal static unsafe class ElementwiseLoop
{
    /// <summary>y[i] = operation(a[i], b[i], scalar).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TOperation, T>(
        ReadOnlySpan<T> a, ReadOnlySpan<T> b, T scalar, Span<T> y, VectorWidth width = VectorWidth.Best)
        where TOperation : struct, IElementOperation
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Require<TOperation, T>(a.Length, b.Length, y.Length);
        fixed (T* first = a, second = b, target = y)
        {
            Run<TOperation, T>(first, second, scalar, target, a.Length, width);
        }
    }

    /// <summary>The same where nothing moves, which nothing need be held for: for a few values that takes as long as the operation.</summary>
    public static void Run<TOperation, T>(TensorView<T> a, TensorView<T> b, T scalar, TensorView<T> y)
        where TOperation : struct, IElementOperation
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int length = a.Length;
        Require<TOperation, T>(length, b.Length, y.Length);
        Run<TOperation, T>(a.Pointer, b.Pointer, scalar, y.Pointer, length, VectorWidth.Best);
    }

    private static void Require<TOperation, T>(int first, int second, int room)
        where TOperation : struct, IElementOperation
    {
        VectorWidths.RequireFloatOrDouble<T>();
        if (room < first || (TOperation.TakesTwo && second != first))
        {
            Refuse(first, second, room);
        }
    }

    [DoesNotReturn]
    private static void Refuse(int first, int second, int room) =>
        throw new ArgumentException($"Lengths do not agree: inputs of {first} and {second}, room for {room}.");

    private static void Run<TOperation, T>(T* a, T* b, T scalar, T* y, int length, VectorWidth width)
        where TOperation : struct, IElementOperation
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (VectorWidths.Resolve<T>(width, length))
        {
            case VectorWidth.Bits512:
                Run<TOperation, T, Vector512<T>, Simd512<T>>(a, b, scalar, y, length);
                break;
            case VectorWidth.Bits256:
                Run<TOperation, T, Vector256<T>, Simd256<T>>(a, b, scalar, y, length);
                break;
            case VectorWidth.Bits128:
                Run<TOperation, T, Vector128<T>, Simd128<T>>(a, b, scalar, y, length);
                break;
            default:
                Run<TOperation, T, T, SimdScalar<T>>(a, b, scalar, y, length);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TOperation, T, TVector, TSimd>(T* a, T* b, T scalar, T* y, int length)
        where TOperation : struct, IElementOperation
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector scalars = TSimd.Broadcast(scalar);
        int i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count)
        {
            TVector second = TOperation.TakesTwo ? TSimd.Load(b + i) : default;
            TSimd.Store(TOperation.Apply<T, TVector, TSimd>(TSimd.Load(a + i), second, scalars), y + i);
        }

        if (i < length)
        {
            // The tail runs as one more vector, padded with zeros.
            uint bytes = (uint)((length - i) * sizeof(T));
            TVector first = default, second = default;
            Unsafe.CopyBlockUnaligned(&first, a + i, bytes);
            if (TOperation.TakesTwo)
            {
                Unsafe.CopyBlockUnaligned(&second, b + i, bytes);
            }

            TVector result = TOperation.Apply<T, TVector, TSimd>(first, second, scalars);
            Unsafe.CopyBlockUnaligned(y + i, &result, bytes);
        }
    }
}
