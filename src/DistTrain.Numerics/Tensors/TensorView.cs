using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace DistTrain.Numerics.Tensors;

/// <summary>
/// A row-major matrix in memory that something else owns (a <see cref="Tensor{T}"/> or a buffer pool) and keeps
/// alive and in place while the view is in use. A vector is a view of one row.
/// </summary>
public readonly unsafe struct TensorView<T>
    where T : unmanaged
{
    private readonly T* _pointer;

    /// <summary>A view of <paramref name="rows"/> × <paramref name="columns"/> values from <paramref name="pointer"/>
    /// on.</summary>
    public TensorView(T* pointer, int rows, int columns)
    {
        Debug.Assert(rows >= 0 && columns >= 0 && (long)rows * columns <= int.MaxValue, "A view's shape is not negative and fits a span.");
        _pointer = pointer;
        Rows = rows;
        Columns = columns;
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns; rows are this many values apart.</summary>
    public int Columns { get; }

    /// <summary>Rows × columns.</summary>
    public int Length => Rows * Columns;

    /// <summary>True for <c>default</c>: a part that is not there, such as the signal below the first layer.</summary>
    public bool IsNone => _pointer == null;

    /// <summary>The first value.</summary>
    internal T* Pointer => _pointer;

    /// <summary>All values, row by row.</summary>
    public Span<T> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(_pointer, Length);
    }

    /// <summary>One row.</summary>
    public Span<T> Row(int row)
    {
        Debug.Assert((uint)row < (uint)Rows, "Row out of range.");
        return new Span<T>(_pointer + ((long)row * Columns), Columns);
    }

    /// <summary>The same memory from <paramref name="offset"/> on, in another shape.</summary>
    public TensorView<T> Slice(int offset, int rows, int columns)
    {
        Debug.Assert(offset >= 0 && offset + (rows * columns) <= Length, "A slice stays inside its view.");
        return new TensorView<T>(_pointer + offset, rows, columns);
    }
}
