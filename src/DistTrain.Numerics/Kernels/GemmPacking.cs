using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// Copies a block of an operand into panels: a panel holds <c>width</c> rows or columns of c's side and stores, for each k in
/// turn, its <c>width</c> elements side by side. What fills the unused places of the last panel is never part of a result.
/// </summary>
internal static unsafe class GemmPacking
{
    /// <summary>Elements of one k are side by side in the source: element (p, i) is at source[p·stride + i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy<T>(T* source, nint stride, int depth, int count, int width, T* target)
        where T : unmanaged
    {
        // Eight rows at a time across all panels: reads stay sequential, and a cache line of a panel is written at once.
        int whole = count - (count % width);
        for (int first = 0; first < depth; first += 8)
        {
            int end = Math.Min(depth, first + 8);
            for (int i = 0; i < whole; i += width)
            {
                T* panel = target + ((nint)i * depth);
                for (int p = first; p < end; p++)
                {
                    Unsafe.CopyBlockUnaligned(panel + ((nint)p * width), source + (p * stride) + i, (uint)(width * sizeof(T)));
                }
            }
        }

        T* last = target + ((nint)whole * depth);
        for (int p = 0; p < depth && whole < count; p++, last += width)
        {
            for (int i = 0; i < width; i++)
            {
                last[i] = whole + i < count ? source[(p * stride) + whole + i] : default;
            }
        }
    }

    /// <summary>Elements of one k are a stride apart in the source: element (p, i) is at source[i·stride + p].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose<T>(T* source, nint stride, int depth, int count, int width, T* target)
        where T : unmanaged
    {
        int lanes = Avx.IsSupported ? 32 / sizeof(T) : 1;
        int groups = (width + lanes - 1) / lanes;
        int whole = depth - (depth % lanes);
        T** rows = stackalloc T*[groups * lanes];
        for (int i = 0; i < count; i += width, target += (nint)width * depth)
        {
            // Rows past the end repeat the last one.
            for (int lane = 0; lane < groups * lanes; lane++)
            {
                rows[lane] = source + (Math.Min(i + lane, count - 1) * stride);
            }

            // When lanes do not divide the width the last group writes past it, so the first groups come later and repair that.
            for (int p = 0; p < whole; p += lanes)
            {
                for (int group = groups - 1; group >= 0; group--)
                {
                    TransposeSquare(rows + (group * lanes), p, target + ((nint)p * width) + (group * lanes), width);
                }
            }

            for (int p = whole; p < depth; p++)
            {
                for (int lane = 0; lane < width; lane++)
                {
                    target[((nint)p * width) + lane] = rows[lane][p];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeSquare<T>(T** rows, int p, T* target, int stride)
        where T : unmanaged
    {
        if (!Avx.IsSupported)
        {
            *target = rows[0][p];
        }
        else if (typeof(T) == typeof(float))
        {
            TransposeEight((float**)rows, p, (float*)target, stride);
        }
        else
        {
            TransposeFour((double**)rows, p, (double*)target, stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeEight(float** rows, int p, float* target, int stride)
    {
        Vector256<float> r0 = Halves(rows[0] + p, rows[4] + p), r1 = Halves(rows[1] + p, rows[5] + p);
        Vector256<float> r2 = Halves(rows[2] + p, rows[6] + p), r3 = Halves(rows[3] + p, rows[7] + p);
        Vector256<float> r4 = Halves(rows[0] + p + 4, rows[4] + p + 4), r5 = Halves(rows[1] + p + 4, rows[5] + p + 4);
        Vector256<float> r6 = Halves(rows[2] + p + 4, rows[6] + p + 4), r7 = Halves(rows[3] + p + 4, rows[7] + p + 4);
        TransposeQuarters(r0, r1, r2, r3, target, stride);
        TransposeQuarters(r4, r5, r6, r7, target + (4 * stride), stride);
    }

    // Both 128-bit halves hold a 4×4 square of their own; four steps of k come out with eight rows each.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeQuarters(
        Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3, float* target, int stride)
    {
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble(), high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble(), high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        Avx.UnpackLow(low01, low23).AsSingle().Store(target);
        Avx.UnpackHigh(low01, low23).AsSingle().Store(target + stride);
        Avx.UnpackLow(high01, high23).AsSingle().Store(target + (2 * stride));
        Avx.UnpackHigh(high01, high23).AsSingle().Store(target + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeFour(double** rows, int p, double* target, int stride)
    {
        Vector256<double> r0 = Halves(rows[0] + p, rows[2] + p), r1 = Halves(rows[1] + p, rows[3] + p);
        Vector256<double> r2 = Halves(rows[0] + p + 2, rows[2] + p + 2), r3 = Halves(rows[1] + p + 2, rows[3] + p + 2);
        Avx.UnpackLow(r0, r1).Store(target);
        Avx.UnpackHigh(r0, r1).Store(target + stride);
        Avx.UnpackLow(r2, r3).Store(target + (2 * stride));
        Avx.UnpackHigh(r2, r3).Store(target + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Halves<T>(T* low, T* high)
        where T : unmanaged => Vector256.Create(Vector128.Load(low), Vector128.Load(high));
}
