using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Tensors;

/// <summary>A row-major matrix that owns its memory: 64-byte aligned, outside the garbage-collected heap, zero at
/// first.</summary>
public sealed unsafe class Tensor<T> : IDisposable
    where T : unmanaged
{
    private T* _pointer;

    /// <summary>A matrix of zeros. Throws <see cref="ArgumentOutOfRangeException"/> for a negative shape.</summary>
    public Tensor(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        nuint bytes = (nuint)Math.Max(1, checked(rows * columns)) * (nuint)sizeof(T);
        _pointer = (T*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(_pointer, bytes);
        Rows = rows;
        Columns = columns;
    }

    /// <summary>A matrix with a copy of <paramref name="values"/>, row by row.</summary>
    public Tensor(int rows, int columns, ReadOnlySpan<T> values)
        : this(rows, columns) => values.CopyTo(Span);

    /// <summary>Frees the memory if nobody disposed it.</summary>
    ~Tensor() => Free();

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>All values, row by row.</summary>
    public Span<T> Span => View.Span;

    /// <summary>This matrix as a view; valid until <see cref="Dispose"/>.</summary>
    public TensorView<T> View
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer == null, this);
            return new TensorView<T>(_pointer, Rows, Columns);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
