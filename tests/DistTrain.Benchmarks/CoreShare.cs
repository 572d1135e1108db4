using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistTrain.Benchmarks;

/// <summary>
/// Tells whether this thread has its physical core to itself. On a shared machine the core's other hardware thread may be somebody else's: for seconds on end both get half of the units, the buffers and
/// the first-level cache, and what is measured then is how programs share a core.
/// </summary>
internal static class CoreShare
{
    private const int Iterations = 1_000;

    // Clocks go up and down by less than this.
    private const double Tolerance = 0.85;

    private static double s_fastest = double.PositiveInfinity;

    /// <summary>Whether multiplications in registers are about as fast now as they have ever been.</summary>
    public static bool IsWhole()
    {
        long start = Stopwatch.GetTimestamp();
        Multiply();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        s_fastest = Math.Min(s_fastest, seconds);
        return seconds * Tolerance <= s_fastest;
    }

    // Twelve sums keep two units busy for four cycles each, and some.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Multiply()
    {
        Vector256<float> x = Vector256.Create(0.5f), y = Vector256.Create(0.25f);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int iteration = 0; iteration < Iterations; iteration++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
