using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// s = x Wᵀ + b of a layer whose weights are kept as a history, without forming W; see <see cref="HistorySpec"/>:
/// x Wᵀ = x(p₀W₀ + p₁U₀)ᵀ + Σ_τ a_τ (x·v_τ) δ_τ, and the same way δ W = δ(p₀W₀ + p₁U₀) + Σ_τ a_τ (δ·δ_τ) v_τ.
/// </summary>
/// <param name="spec">The layer.</param>
/// <param name="history">Index of the history among the stage's parameters.</param>
/// <param name="bias">Index of b, or −1.</param>
internal sealed class HistoryMap<T>(HistorySpec spec, int history, int bias) : AffineMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass, TensorView<T> s)
    {
        TensorView<T> b = bias < 0 ? default : pass.Parameters[bias];
        History<T> past = new(spec, pass.Parameters[history]);
        WriteBase(pass.Input, past, transpose: true, s, pass);
        AddRows(pass.Input, past.Inputs, past.RowCoefficients, past.Deltas, s, b, pass);
    }

    /// <inheritdoc/>
    public override void Backward(in BackwardPass<T> pass, TensorView<T> delta)
    {
        ForwardPass<T> forward = pass.Forward;
        new GradientFactors<T>(spec, pass.Gradients[history]).Append(forward.Input, delta);
        if (bias >= 0)
        {
            Elementwise.ColumnSums(delta, pass.Gradients[bias].Span, pass.Accumulate);
        }

        if (!pass.InputSignal.IsNone)
        {
            History<T> past = new(spec, forward.Parameters[history]);
            WriteBase(delta, past, transpose: false, pass.InputSignal, forward);
            AddRows(delta, past.Deltas, past.RowCoefficients, past.Inputs, pass.InputSignal, default, forward);
        }
    }

    /// <summary>Writes x·Mᵀ or x·M, where M is what the base contributes to W.</summary>
    private void WriteBase(TensorView<T> x, History<T> past, bool transpose, TensorView<T> result, in ForwardPass<T> pass)
    {
        long mark = pass.Scratch.Mark;
        TensorView<T> mixed = pass.Scratch.Take<T>(spec.Outputs, spec.Inputs);
        past.MixBase(past.Coefficients, mixed);
        Gemm.Multiply(x, false, mixed, transpose, result, false, default, pass.Fork);
        pass.Scratch.Release(mark);
    }

    /// <summary>Adds Σ_τ a_τ (x·left_τ) right_τ over the rows of the history, and the bias last.</summary>
    private static void AddRows(
        TensorView<T> x, TensorView<T> left, ReadOnlySpan<T> coefficients, TensorView<T> right, TensorView<T> result, TensorView<T> rowBias,
        in ForwardPass<T> pass)
    {
        long mark = pass.Scratch.Mark;
        TensorView<T> products = pass.Scratch.Take<T>(x.Rows, left.Rows);
        Gemm.Multiply(x, false, left, true, products, false, default, pass.Fork);
        for (int row = 0; row < products.Rows; row++)
        {
            TensorPrimitives.Multiply(products.Row(row), coefficients, products.Row(row));
        }

        Gemm.Multiply(products, false, right, false, result, true, rowBias, pass.Fork);
        pass.Scratch.Release(mark);
    }
}
