using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// The gradient of a dense layer's weight as its factors, in the memory of the parameter's gradient: the step's rows' inputs V_B, their deltas Δ_B and the
/// number of rows; the gradient is Δ_BᵀV_B.
/// </summary>
internal readonly struct GradientFactors<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int _inputWidth, _outputWidth;
    private readonly TensorView<T> _values, _inputs, _deltas;

    /// <param name="stepRows">Rows of a full step.</param>
    /// <param name="inputs">d, columns of V_B.</param>
    /// <param name="outputs">h, columns of Δ_B.</param>
    /// <param name="values">The gradient: 1 × its length.</param>
    public GradientFactors(int stepRows, int inputs, int outputs, TensorView<T> values)
    {
        (_inputWidth, _outputWidth, _values) = (inputs, outputs, values);
        _inputs = values.Slice(0, stepRows, inputs);
        _deltas = values.Slice(stepRows * inputs, stepRows, outputs);
    }

    /// <param name="spec">The layer.</param>
    /// <param name="values">As above.</param>
    public GradientFactors(HistorySpec spec, TensorView<T> values)
        : this(spec.StepRows, spec.Inputs, spec.Outputs, values)
    {
    }

    /// <param name="weight">A weight whose gradient travels as factors.</param>
    /// <param name="values">As above.</param>
    public GradientFactors(ParameterSpec weight, TensorView<T> values)
        : this(weight.FactoredRows, weight.Columns, weight.Rows, values)
    {
    }

    /// <summary>V_B.</summary>
    public TensorView<T> Inputs => _inputs.Slice(0, Rows, _inputWidth);

    /// <summary>Δ_B.</summary>
    public TensorView<T> Deltas => _deltas.Slice(0, Rows, _outputWidth);

    /// <summary>Rows so far.</summary>
    /// <exception cref="InvalidOperationException">The gradient is none of this layer: it tells of more rows than there is room for.</exception>
    public int Rows
    {
        get
        {
            // It may have come over a wire, and everything is read by it.
            T rows = _values.Span[^1];
            return rows >= T.Zero && rows <= T.CreateChecked(_inputs.Rows)
                ? int.CreateTruncating(rows)
                : throw new InvalidOperationException($"A gradient of {rows} rows; expected 0 to {_inputs.Rows}.");
        }
    }

    /// <summary>Adds a micro-batch's rows.</summary>
    /// <param name="inputs">rows × d.</param>
    /// <param name="deltas">rows × h.</param>
    /// <param name="leavesInputs">Whether there is only room left for the inputs.</param>
    public void Append(TensorView<T> inputs, TensorView<T> deltas, bool leavesInputs = false)
    {
        int rows = Rows;
        if (!leavesInputs)
        {
            inputs.Span.CopyTo(_inputs.Span[(rows * _inputWidth)..]);
        }

        deltas.Span.CopyTo(_deltas.Span[(rows * _outputWidth)..]);
        _values.Span[^1] = T.CreateChecked(rows + inputs.Rows);
    }

    /// <summary>Forgets all rows.</summary>
    public void Clear() => _values.Span[^1] = T.Zero;

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
