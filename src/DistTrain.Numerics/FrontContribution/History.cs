using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>The parts of a layer's history in the memory of its parameter; see <see cref="HistorySpec"/>.</summary>
internal readonly struct History<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly HistorySpec _spec;
    private readonly TensorView<T> _values, _inputs, _deltas;
    private readonly int _coefficients;

    /// <param name="spec">The layer.</param>
    /// <param name="values">The parameter: 1 × its length.</param>
    public History(HistorySpec spec, TensorView<T> values)
    {
        (_spec, _values) = (spec, values);
        int inputs = spec.BaseCount * spec.Outputs * spec.Inputs, deltas = inputs + (spec.RowsMax * spec.Inputs);
        _inputs = values.Slice(inputs, spec.RowsMax, spec.Inputs);
        _deltas = values.Slice(deltas, spec.RowsMax, spec.Outputs);
        _coefficients = deltas + (spec.RowsMax * spec.Outputs);
    }

    /// <summary>V: the inputs of the rows so far.</summary>
    public TensorView<T> Inputs => _inputs.Slice(0, Rows, _spec.Inputs);

    /// <summary>Δ: the deltas of the rows so far.</summary>
    public TensorView<T> Deltas => _deltas.Slice(0, Rows, _spec.Outputs);

    /// <summary>The weights' coefficients: of the base, then of every row there is room for, 0 where there is none.</summary>
    public Span<T> Coefficients => _values.Span.Slice(_coefficients, _spec.Coefficients);

    /// <summary>Rows so far.</summary>
    public int Rows
    {
        get => int.CreateChecked(_values.Span[^1]);
        private set => _values.Span[^1] = T.CreateChecked(value);
    }

    /// <summary>The coefficients of the rows so far.</summary>
    public ReadOnlySpan<T> RowCoefficients => Coefficients.Slice(_spec.BaseCount, Rows);

    /// <summary>W₀ or U₀: outputs × inputs.</summary>
    public TensorView<T> Base(int index) => _values.Slice(index * _spec.Outputs * _spec.Inputs, _spec.Outputs, _spec.Inputs);

    /// <summary>Makes the base all there is, the weights W₀ and the velocity U₀.</summary>
    /// <param name="velocity">The velocity's coefficients, or none.</param>
    public void Restart(Span<T> velocity)
    {
        _values.Span[(_spec.BaseCount * _spec.Outputs * _spec.Inputs)..].Clear();
        Coefficients[0] = T.One;
        if (!velocity.IsEmpty)
        {
            velocity.Clear();
            velocity[1] = T.One;
        }
    }

    /// <summary>Adds a step's rows, whose coefficients are there already.</summary>
    public void Append(in GradientFactors<T> step)
    {
        int rows = Rows;
        step.Inputs.Span.CopyTo(_inputs.Span[(rows * _spec.Inputs)..]);
        step.Deltas.Span.CopyTo(_deltas.Span[(rows * _spec.Outputs)..]);
        Rows = rows + step.Rows;
    }

    /// <summary>Writes the base's part of the sum with the given coefficients: outputs × inputs.</summary>
    public void MixBase(ReadOnlySpan<T> coefficients, TensorView<T> result)
    {
        TensorPrimitives.Multiply(Base(0).Span, coefficients[0], result.Span);
        if (_spec.HasVelocity)
        {
            TensorPrimitives.FusedMultiplyAdd(Base(1).Span, coefficients[1], result.Span, result.Span);
        }
    }

    /// <summary>Writes the whole sum with the given coefficients, outputs × inputs: the weights, or their velocity.</summary>
    public void Sum(ReadOnlySpan<T> coefficients, TensorView<T> result, ComputeScratch scratch, IForkJoin? fork)
    {
        MixBase(coefficients, result);
        long mark = scratch.Mark;
        TensorView<T> scaled = scratch.Take<T>(Rows, _spec.Outputs);
        for (int row = 0; row < scaled.Rows; row++)
        {
            TensorPrimitives.Multiply(Deltas.Row(row), coefficients[_spec.BaseCount + row], scaled.Row(row));
        }

        Gemm.Multiply(scaled, true, Inputs, false, result, true, default, fork);
        scratch.Release(mark);
    }
}
