using System.Buffers;
using System.Numerics;
using DistTrain.Data;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Engines.Shared.Front;

/// <summary>A share of the features of a data set's rows, in file order. For one thread.</summary>
internal sealed unsafe class ShareRows<T> : IInputRows<T>, IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly DataSet<T> _data;
    private readonly (int Start, int Count) _share;
    private readonly T[] _row;
    private MemoryHandle _matrix;

    public ShareRows(DataSet<T> data, (int Start, int Count) share)
    {
        (_data, _share) = (data, share);
        bool whole = share.Count == data.Inputs;
        _row = whole ? [] : new T[data.Inputs];
        _matrix = whole && !data.InputMatrix.IsEmpty ? data.InputMatrix.Pin() : default;
    }

    /// <inheritdoc/>
    public int Rows => _data.Rows;

    /// <inheritdoc/>
    public int Columns => _share.Count;

    /// <inheritdoc/>
    public TensorView<T> Read(int first, int count, ComputeScratch scratch)
    {
        if (_matrix.Pointer != null)
        {
            // Whoever reads does not write, and the matrix stays in its place until this is disposed.
            return new TensorView<T>((T*)_matrix.Pointer + ((long)first * Columns), count, Columns);
        }

        TensorView<T> rows = scratch.Take<T>(count, Columns);
        Copy(first, rows);
        return rows;
    }

    /// <inheritdoc/>
    public void Copy(int first, TensorView<T> destination)
    {
        Span<int> index = stackalloc int[1];
        for (int row = 0; row < destination.Rows; row++)
        {
            index[0] = first + row;
            if (_row.Length == 0)
            {
                _data.CopyInputs(index, destination.Row(row));
                continue;
            }

            _data.CopyInputs(index, _row);
            _row.AsSpan(_share.Start, _share.Count).CopyTo(destination.Row(row));
        }
    }

    public void Dispose() => _matrix.Dispose();
}
