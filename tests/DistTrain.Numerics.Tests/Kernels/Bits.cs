using System.Numerics;

namespace DistTrain.Numerics.Tests.Kernels;

/// <summary>Bits of floating-point numbers, and distances in units in the last place.</summary>
internal static class Bits
{
    public static ulong[] Of<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var bits = new ulong[values.Length];
        for (int i = 0; i < bits.Length; i++)
        {
            bits[i] = Of(values[i]);
        }

        return bits;
    }

    public static ulong Of<T>(T value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => value is float single
        ? BitConverter.SingleToUInt32Bits(single)
        : BitConverter.DoubleToUInt64Bits(double.CreateTruncating(value));

    /// <summary>|actual − exact| in units of the last place of T at exact.</summary>
    public static double Ulps<T>(T actual, double exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double value = double.CreateTruncating(actual);
        double magnitude = double.CreateTruncating(T.Abs(T.CreateTruncating(exact)));
        int digits = typeof(T) == typeof(float) ? 24 : 53;
        int lowest = typeof(T) == typeof(float) ? -149 : -1074;
        double unit = magnitude == 0.0 ? Math.ScaleB(1.0, lowest) : Math.ScaleB(1.0, Math.Max(lowest, Math.ILogB(magnitude) - digits + 1));
        return value == exact ? 0.0 : Math.Abs(value - exact) / unit;
    }
}
