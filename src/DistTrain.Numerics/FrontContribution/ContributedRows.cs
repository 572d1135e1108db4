using System.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>
/// What a step contributes to Θ in the Gram form, in the memory of the parameter's gradient: its rows' deltas Δ_B, their indices in the training set and their number.
/// The gradient itself is 0 in every other row of Θ.
/// </summary>
internal readonly struct ContributedRows<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly TensorView<T> _values, _deltas, _indices;

    /// <param name="spec">The layer.</param>
    /// <param name="values">The gradient: 1 × its length.</param>
    public ContributedRows(ContributedSpec spec, TensorView<T> values)
    {
        _values = values;
        _deltas = values.Slice(0, spec.StepRows, spec.Outputs);
        _indices = values.Slice(spec.StepRows * spec.Outputs, 1, spec.StepRows);
    }

    /// <summary>Rows so far.</summary>
    public int Count => int.CreateChecked(_values.Span[^1]);

    /// <summary>Δ_B: rows × h′.</summary>
    public TensorView<T> Deltas => _deltas.Slice(0, Count, _deltas.Columns);

    /// <summary>The row of Θ that a delta is the gradient of.</summary>
    public int IndexOf(int row) => int.CreateChecked(_indices.Span[row]);

    /// <summary>Adds a pass's rows, none of which is there already.</summary>
    public void Append(TensorView<T> deltas, ReadOnlySpan<T> indices)
    {
        int count = Count;
        deltas.Span.CopyTo(_deltas.Span[(count * _deltas.Columns)..]);
        indices.CopyTo(_indices.Span[count..]);
        _values.Span[^1] = T.CreateChecked(count + indices.Length);
    }
}
