using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>The affine start of a layer, s = x Wᵀ + b, whatever W is made of.</summary>
internal abstract class AffineMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Writes s (rows × outputs).</summary>
    public abstract void Forward(in ForwardPass<T> pass, TensorView<T> s);

    /// <summary>From delta = d(loss)/ds: the gradients of the map's parameters, and d(loss)/dx if asked. Gradients add by
    /// sample.</summary>
    public abstract void Backward(in BackwardPass<T> pass, TensorView<T> delta);
}

/// <summary>s = x Wᵀ + b, with W of its own or (tied) the transpose of another layer's weight.</summary>
/// <param name="weight">Index of the weight among the stage's parameters.</param>
/// <param name="bias">Index of the bias, or −1.</param>
/// <param name="tied">Whether the weight serves transposed: s = x W + b.</param>
/// <param name="weightShared">Whether a later layer uses the weight too, and so has written its gradient earlier in the
/// pass.</param>
/// <param name="factoredRows">As the weight's <see cref="ParameterSpec.FactoredRows"/>.</param>
/// <param name="leavesInput">Whether factors have only room for the inputs, which somebody else has.</param>
internal sealed class WeightMap<T>(int weight, int bias, bool tied, bool weightShared, int factoredRows, bool leavesInput) : AffineMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Index of the weight among the stage's parameters.</summary>
    public int Weight => weight;

    /// <summary>Index of the bias, or −1.</summary>
    public int Bias => bias;

    /// <summary>Whether the weight is this layer's alone and its gradient has its shape.</summary>
    public bool IsPlain => !tied && !weightShared && factoredRows == 0;

    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass, TensorView<T> s)
    {
        TensorView<T> b = bias < 0 ? default : pass.Parameters[bias];
        Gemm.Multiply(pass.Input, false, pass.Parameters[weight], !tied, s, false, b, pass.Fork);
    }

    /// <summary>
    /// From delta = d(loss)/ds: the gradients of W and b, and d(loss)/dx if asked. Gradients add by sample: the weight's in the
    /// matrix product's documented order or left as factors, the bias's row after row. The signal passes through the pass's feedback weight.
    /// </summary>
    public override void Backward(in BackwardPass<T> pass, TensorView<T> delta)
    {
        ForwardPass<T> forward = pass.Forward;
        TensorView<T> gradient = pass.Gradients[weight];
        bool add = pass.Accumulate || weightShared;
        if (factoredRows > 0)
        {
            new GradientFactors<T>(factoredRows, forward.Input.Columns, delta.Columns, gradient).Append(forward.Input, delta, leavesInput);
        }
        else if (tied)
        {
            Gemm.Multiply(forward.Input, true, delta, false, gradient, add, default, forward.Fork);
        }
        else
        {
            Gemm.Multiply(delta, true, forward.Input, false, gradient, add, default, forward.Fork);
        }

        if (bias >= 0)
        {
            Elementwise.ColumnSums(delta, pass.Gradients[bias].Span, pass.Accumulate);
        }

        if (!pass.InputSignal.IsNone)
        {
            Gemm.Multiply(delta, false, pass.Feedback[weight], tied, pass.InputSignal, false, default, forward.Fork);
        }
    }
}
