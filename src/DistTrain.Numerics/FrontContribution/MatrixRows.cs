using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>The rows of a matrix, which must stay alive.</summary>
public sealed class MatrixRows<T>(TensorView<T> matrix) : IInputRows<T>
    where T : unmanaged
{
    /// <inheritdoc/>
    public int Rows => matrix.Rows;

    /// <inheritdoc/>
    public int Columns => matrix.Columns;

    /// <inheritdoc/>
    public TensorView<T> Read(int first, int count, ComputeScratch scratch) => matrix.Slice(first * Columns, count, Columns);

    /// <inheritdoc/>
    public void Copy(int first, TensorView<T> destination) =>
        matrix.Slice(first * Columns, destination.Rows, Columns).Span.CopyTo(destination.Span);
}
