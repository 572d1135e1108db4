using System.Numerics;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// Element-wise functions whose bits do not depend on span length, position or vector width, for float and double. A result
/// must have room for every input element and may lie exactly over an input; lengths that do not agree throw
/// <see cref="ArgumentException"/>, other element types <see cref="NotSupportedException"/>. Errors are bounded in units in
/// the last place (ulp). Infinities, NaN, signed zeros and subnormal numbers are treated as IEEE 754 recommends.
/// </summary>
public static partial class Elementwise
{
    /// <summary>y = exp(x), within 1 ulp.</summary>
    public static void Exp<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<ExpOperation, T>(x, default, default, y);

    /// <summary>y = exp(x) − 1 without cancellation near 0, within 2 ulp.</summary>
    public static void Expm1<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<ExpM1Operation, T>(x, default, default, y);

    /// <summary>y = ln(x), within 1 ulp; −∞ at 0 and NaN below.</summary>
    public static void Log<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<LogOperation, T>(x, default, default, y);

    /// <summary>y = tanh(x), within 3 ulp.</summary>
    public static void Tanh<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<TanhOperation, T>(x, default, default, y);

    /// <summary>y = 1 / (1 + exp(−x)), within 3 ulp on both sides of 0.</summary>
    public static void Sigmoid<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<SigmoidOperation, T>(x, default, default, y);

    /// <summary>y = ln(1 + exp(x)) without overflow or cancellation, within 2 ulp.</summary>
    public static void Softplus<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<SoftplusOperation, T>(x, default, default, y);

    /// <summary>
    /// y = exp(x − max x) / Σ exp(x − max x) over one row, summed in the order of <see cref="Sum{T}(ReadOnlySpan{T})"/>.
    /// A row with a NaN or +∞, or of −∞ only, gives NaN.
    /// </summary>
    public static void SoftmaxRow<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SoftmaxKernel<T>.Row(x, y, VectorWidth.Best);

    /// <summary><see cref="SoftmaxRow{T}(ReadOnlySpan{T}, Span{T})"/> of every row. x, y: rows × columns.</summary>
    public static void SoftmaxRows<T>(TensorView<T> x, TensorView<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SoftmaxKernel<T>.Rows(x, y, VectorWidth.Best);

    /// <summary>y = max(x, 0); −0 becomes 0 and NaN stays.</summary>
    public static void Relu<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<ReluOperation, T>(x, default, default, y);

    /// <summary>dx = dy where y > 0, else 0 (also at y = 0).</summary>
    public static void ReluGradient<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<ReluGradientOperation, T>(dy, y, default, dx);

    /// <summary>dx = dy (1 − y²) for y = tanh(x), with 1 − y² rounded once.</summary>
    public static void TanhGradient<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<TanhGradientOperation, T>(dy, y, default, dx);

    /// <summary>dx = dy · (y (1 − y)) for y = sigmoid(x).</summary>
    public static void SigmoidGradient<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<SigmoidGradientOperation, T>(dy, y, default, dx);

    /// <summary>y += scale · x, product and sum rounded once.</summary>
    public static void AddScaled<T>(ReadOnlySpan<T> x, T scale, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<AddScaledOperation, T>(x, y, scale, y);

    /// <summary>z = (x − y) · scale, difference and product rounded one after the other.</summary>
    public static void ScaledDifference<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, T scale, Span<T> z)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ElementwiseLoop.Run<ScaledDifferenceOperation, T>(x, y, scale, z);
}
