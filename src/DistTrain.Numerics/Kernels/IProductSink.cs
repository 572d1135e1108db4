using System.Numerics;

namespace DistTrain.Numerics.Kernels;

/// <summary>Takes a product block by block, while each is still in the cache, so that the whole of it never stands in memory.</summary>
internal unsafe interface IProductSink<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Takes a finished block. Blocks come from several threads at once and in any order, each once.</summary>
    /// <param name="values">rows × columns, row by row; overwritten by the next block.</param>
    /// <param name="row">The product's row that the block begins with.</param>
    /// <param name="rows">Rows of the block.</param>
    /// <param name="column">The product's column that the block begins with.</param>
    /// <param name="columns">Columns of the block.</param>
    void Take(T* values, int row, int rows, int column, int columns);
}
