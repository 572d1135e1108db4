using System.Collections;
using DistTrain.Numerics.Layers;

namespace DistTrain.Engines.Shared;

/// <summary>
/// The parameters that a run hands out, in memory that runs leave to each other; an array of the garbage-collected heap is made of each when somebody asks for it.
/// Many runs of a study are asked for none, and large arrays come in pages that the system hands out for the first time, which took a sixth of a short run.
/// Thread-safe.
/// </summary>
internal sealed unsafe class KeptParameters : IDisposable
{
    private readonly Lock _lock = new();
    private readonly (nint Block, int Length)[] _blocks;
    private readonly byte[]?[] _values;
    private long _bytes;

    /// <param name="count">How many there will be.</param>
    public KeptParameters(int count) => (_blocks, _values) = (new (nint, int)[count], new byte[]?[count]);

    ~KeptParameters() => GiveBack();

    /// <summary>Those of a run that failed.</summary>
    public static KeptParameters None => new(0);

    /// <summary>How many there are.</summary>
    public int Count => _blocks.Length;

    /// <summary>Copies the values of the parameter at a place, once, before anybody asks.</summary>
    public void Keep(int index, ReadOnlySpan<byte> values)
    {
        nint block = values.IsEmpty ? 0 : NativeBlocks.Take(values.Length);
        values.CopyTo(new Span<byte>((void*)block, values.Length));
        _blocks[index] = (block, values.Length);
        if (values.Length > 0)
        {
            _bytes += values.Length;
            GC.AddMemoryPressure(values.Length);
        }
    }

    /// <summary>The values of the parameter at a place, the same array each time.</summary>
    /// <exception cref="ObjectDisposedException">Their memory was given back before anybody asked.</exception>
    public byte[] ValuesOf(int index)
    {
        lock (_lock)
        {
            if (_values[index] is byte[] values)
            {
                return values;
            }

            (nint block, int length) = _blocks[index];
            ObjectDisposedException.ThrowIf(block == 0 && length > 0, typeof(RunOutcome));
            values = GC.AllocateUninitializedArray<byte>(length);
            new ReadOnlySpan<byte>((void*)block, length).CopyTo(values);
            return _values[index] = values;
        }
    }

    /// <summary>Gives the memory back; arrays that were made of it stay.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            GiveBack();
        }

        GC.SuppressFinalize(this);
    }

    private void GiveBack()
    {
        for (int index = 0; index < _blocks.Length; index++)
        {
            (nint block, int length) = _blocks[index];
            if (block != 0)
            {
                _blocks[index] = (0, length);
                NativeBlocks.Give(block, length);
            }
        }

        if (_bytes > 0)
        {
            GC.RemoveMemoryPressure(_bytes);
            _bytes = 0;
        }
    }
}

/// <summary>A run's parameters as its outcome shows them.</summary>
/// <param name="specs">Their names and shapes, in layer order.</param>
/// <param name="kept">Their values, in the same order.</param>
internal sealed class OutcomeParameters(IReadOnlyList<ParameterSpec> specs, KeptParameters kept) : IReadOnlyList<(ParameterSpec Spec, byte[] Values)>, IDisposable
{
    /// <inheritdoc/>
    public int Count => kept.Count;

    /// <inheritdoc/>
    public (ParameterSpec Spec, byte[] Values) this[int index] => (specs[index], kept.ValuesOf(index));

    /// <inheritdoc/>
    public IEnumerator<(ParameterSpec Spec, byte[] Values)> GetEnumerator()
    {
        for (int index = 0; index < Count; index++)
        {
            yield return this[index];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => kept.Dispose();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
