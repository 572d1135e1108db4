using System.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// An update by a gradient that is a product: each block of the product is used up while it is in the cache. Rules are element-wise, so the bits are those of product and
/// update one after the other. Reused by the thread that asks.
/// </summary>
internal sealed unsafe class ProductUpdate<T> : IProductSink<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [ThreadStatic]
    private static ProductUpdate<T>? t_spare;

    private UpdateRule<T> _rule = null!;
    private Coefficients<T> _coefficients;
    private T _scale;
    private T* _weights, _state, _nextWeights, _nextState;
    private int _length, _stateLength, _columns;
    private volatile bool _notFinite;

    /// <summary>Prepares an update of a matrix; <see cref="UpdateArrays{T}.Gradient"/> is not read.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="coefficients">Of the step.</param>
    /// <param name="arrays">Memory that does not move until <see cref="End"/>.</param>
    /// <param name="columns">Of the matrix.</param>
    public static ProductUpdate<T> Begin(UpdateRule<T> rule, in Coefficients<T> coefficients, in UpdateArrays<T> arrays, int columns)
    {
        ProductUpdate<T> update = t_spare ?? new ProductUpdate<T>();
        t_spare = null;
        (update._rule, update._coefficients, update._scale, update._columns) = (rule, coefficients, arrays.GradientScale, columns);
        (update._length, update._stateLength, update._notFinite) = (arrays.Weights.Length, arrays.State.Length, false);
        fixed (T* w = arrays.Weights, s = arrays.State, nextW = arrays.NextWeights, nextS = arrays.NextState)
        {
            update._weights = w;
            update._state = s;
            update._nextWeights = nextW;
            update._nextState = nextS;
        }

        return update;
    }

    /// <summary>Ends the update; whether every next weight is finite.</summary>
    public bool End()
    {
        t_spare = this;
        return !_notFinite;
    }

    /// <inheritdoc/>
    public void Take(T* values, int row, int rows, int column, int columns)
    {
        if (columns == _columns)
        {
            Apply(values, row * columns, rows * columns);
            return;
        }

        for (int i = 0; i < rows; i++)
        {
            Apply(values + (i * columns), ((row + i) * _columns) + column, columns);
        }
    }

    /// <summary>Updates values whose gradients stand in a block of their own.</summary>
    private void Apply(T* gradient, int first, int count)
    {
        UpdateArrays<T> arrays = new()
        {
            Gradient = new ReadOnlySpan<T>(gradient, count),
            GradientFirst = first,
            Weights = new ReadOnlySpan<T>(_weights, _length),
            GradientScale = _scale,
            State = new ReadOnlySpan<T>(_state, _stateLength),
            NextWeights = new Span<T>(_nextWeights, _length),
            NextState = new Span<T>(_nextState, _stateLength),
        };
        if (!_rule.Apply(arrays, _coefficients, first, first + count))
        {
            _notFinite = true;
        }
    }
}
