using System.Numerics;
using DistTrain.Data;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Engines.Shared.Front;

/// <summary>A share of the features of a data set's rows, in file order. For one thread.</summary>
internal sealed class ShareRows<T>(DataSet<T> data, (int Start, int Count) share) : IInputRows<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] _row = share.Count == data.Inputs ? [] : new T[data.Inputs];

    /// <inheritdoc/>
    public int Rows => data.Rows;

    /// <inheritdoc/>
    public int Columns => share.Count;

    /// <inheritdoc/>
    public void Copy(int first, TensorView<T> destination)
    {
        Span<int> index = stackalloc int[1];
        for (int row = 0; row < destination.Rows; row++)
        {
            index[0] = first + row;
            if (_row.Length == 0)
            {
                data.CopyInputs(index, destination.Row(row));
                continue;
            }

            data.CopyInputs(index, _row);
            _row.AsSpan(share.Start, share.Count).CopyTo(destination.Row(row));
        }
    }
}
