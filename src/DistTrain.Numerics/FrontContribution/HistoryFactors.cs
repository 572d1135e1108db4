using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>What a step contributes to a history, in the memory of the parameter's gradient: its rows' inputs V_B, deltas Δ_B
/// and their number.</summary>
internal readonly struct HistoryFactors<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly HistorySpec _spec;
    private readonly TensorView<T> _values, _inputs, _deltas;

    /// <param name="spec">The layer.</param>
    /// <param name="values">The gradient: 1 × its length.</param>
    public HistoryFactors(HistorySpec spec, TensorView<T> values)
    {
        (_spec, _values) = (spec, values);
        _inputs = values.Slice(0, spec.StepRows, spec.Inputs);
        _deltas = values.Slice(spec.StepRows * spec.Inputs, spec.StepRows, spec.Outputs);
    }

    /// <summary>V_B.</summary>
    public TensorView<T> Inputs => _inputs.Slice(0, Rows, _spec.Inputs);

    /// <summary>Δ_B.</summary>
    public TensorView<T> Deltas => _deltas.Slice(0, Rows, _spec.Outputs);

    /// <summary>Rows so far.</summary>
    public int Rows => int.CreateChecked(_values.Span[^1]);

    /// <summary>Adds a micro-batch's rows.</summary>
    public void Append(TensorView<T> inputs, TensorView<T> deltas)
    {
        int rows = Rows;
        inputs.Span.CopyTo(_inputs.Span[(rows * _spec.Inputs)..]);
        deltas.Span.CopyTo(_deltas.Span[(rows * _spec.Outputs)..]);
        _values.Span[^1] = T.CreateChecked(rows + inputs.Rows);
    }

    /// <summary>‖Δ_BᵀV_B‖² = Σ (V_B V_Bᵀ) ∘ (Δ_B Δ_Bᵀ); what rounding makes negative is 0.</summary>
    public double SquaredNorm(ComputeScratch scratch)
    {
        long mark = scratch.Mark;
        TensorView<T> inputs = scratch.Take<T>(Rows, Rows), deltas = scratch.Take<T>(Rows, Rows);
        Gemm.Multiply(Inputs, false, Inputs, true, inputs);
        Gemm.Multiply(Deltas, false, Deltas, true, deltas);
        double sum = 0;
        Span<T> left = inputs.Span, right = deltas.Span;
        for (int i = 0; i < left.Length; i++)
        {
            sum = Math.FusedMultiplyAdd(double.CreateChecked(left[i]), double.CreateChecked(right[i]), sum);
        }

        scratch.Release(mark);
        return Math.Max(0, sum);
    }
}
