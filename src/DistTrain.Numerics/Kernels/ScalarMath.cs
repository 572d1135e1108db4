using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>Elementary functions of one number, with the bits of the span kernels on every machine.</summary>
public static class ScalarMath
{
    /// <summary>exp(x), within 1 ulp.</summary>
    public static double Exp(double x) => MathKernels.Exp<double, double, SimdScalar<double>>(x);

    /// <summary>ln(x), within 1 ulp; −∞ at 0 and NaN below.</summary>
    public static double Log(double x) => MathKernels.Log<double, double, SimdScalar<double>>(x);
}
