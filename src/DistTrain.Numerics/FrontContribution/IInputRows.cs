using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>Rows of inputs that are read block by block, whatever they are stored as.</summary>
public interface IInputRows<T>
    where T : unmanaged
{
    /// <summary>Number of rows.</summary>
    int Rows { get; }

    /// <summary>Values of a row: all features or a share of them.</summary>
    int Columns { get; }

    /// <summary>Writes rows <paramref name="first"/>, <paramref name="first"/> + 1, … to the rows of
    /// <paramref name="destination"/>.</summary>
    void Copy(int first, TensorView<T> destination);

    /// <summary>Rows <paramref name="first"/>, <paramref name="first"/> + 1, … to read: lent where they are stored as a
    /// matrix, else copied to <paramref name="scratch"/> and valid until it is released.</summary>
    TensorView<T> Read(int first, int count, ComputeScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        TensorView<T> rows = scratch.Take<T>(count, Columns);
        Copy(first, rows);
        return rows;
    }
}
