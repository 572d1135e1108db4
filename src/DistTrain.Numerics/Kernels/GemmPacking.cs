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
    // In elements: whole cache lines of every row, and at most 8 KB of a panel.
    private const int Stretch = 64;

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
                    byte* from = (byte*)(source + (p * stride) + i), ahead = from + (8 * stride * sizeof(T));
                    Unsafe.CopyBlockUnaligned(panel + ((nint)p * width), from, (uint)(width * sizeof(T)));
                    if (Sse.IsSupported)
                    {
                        Sse.Prefetch0(ahead);
                        Sse.Prefetch0(ahead + 64);
                    }
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
        bool wide = Avx512F.IsSupported && width % Vector512<T>.Count == 0;
        for (int i = 0; i < count; i += width, target += (nint)width * depth)
        {
            if (wide && i + width <= count)
            {
                for (int group = 0; group < width; group += Vector512<T>.Count)
                {
                    GemmTranspose.Panel(source + ((i + group) * stride), stride, depth, target + group, width);
                }

                continue;
            }

            // Rows past the end repeat the last one.
            for (int lane = 0; lane < groups * lanes; lane++)
            {
                rows[lane] = source + (Math.Min(i + lane, count - 1) * stride);
            }

            // A stretch of k is short enough for its part of the panel to stay in cache while group after group fills it. When
            // lanes do not divide the width the last group writes past it, so the first groups come later and repair that.
            for (int first = 0; first < whole; first += Stretch)
            {
                int end = Math.Min(whole, first + Stretch);
                for (int group = Math.Min(groups, (count - i + lanes - 1) / lanes) - 1; group >= 0; group--)
                {
                    TransposeGroup(rows + (group * lanes), first, end, target + (group * lanes), width);
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
    private static void TransposeGroup<T>(T** rows, int first, int end, T* target, int width)
        where T : unmanaged
    {
        if (!Avx.IsSupported)
        {
            for (int p = first; p < end; p++)
            {
                target[(nint)p * width] = rows[0][p];
            }
        }
        else if (typeof(T) == typeof(float))
        {
            TransposeEight((float**)rows, first, end, (float*)target, width);
        }
        else
        {
            TransposeFour((double**)rows, first, end, (double*)target, width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeEight(float** rows, nint first, nint end, float* target, nint width)
    {
        float* a0 = rows[0], a1 = rows[1], a2 = rows[2], a3 = rows[3], a4 = rows[4], a5 = rows[5], a6 = rows[6], a7 = rows[7];
        target += first * width;
        for (nint p = first; p < end; p += 4, target += 4 * width)
        {
            // Both 128-bit halves hold a 4×4 square of their own; four steps of k come out with eight rows each.
            Vector256<float> r0 = Squares.Halves(a0 + p, a4 + p), r1 = Squares.Halves(a1 + p, a5 + p);
            Vector256<float> r2 = Squares.Halves(a2 + p, a6 + p), r3 = Squares.Halves(a3 + p, a7 + p);
            Squares.Transpose(ref r0, ref r1, ref r2, ref r3);
            r0.Store(target);
            r1.Store(target + width);
            r2.Store(target + (2 * width));
            r3.Store(target + (3 * width));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFour(double** rows, nint first, nint end, double* target, nint width)
    {
        double* a0 = rows[0], a1 = rows[1], a2 = rows[2], a3 = rows[3];
        target += first * width;
        for (nint p = first; p < end; p += 2, target += 2 * width)
        {
            Vector256<double> r0 = Squares.Halves(a0 + p, a2 + p), r1 = Squares.Halves(a1 + p, a3 + p);
            Avx.UnpackLow(r0, r1).Store(target);
            Avx.UnpackHigh(r0, r1).Store(target + width);
        }
    }
}
