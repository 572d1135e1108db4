using System.Collections;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>
/// The parameters that a run hands out, in the memory that they lie in at its end, which runs leave to each other; an array of the garbage-collected heap is made of each
/// when somebody asks for it. Many runs of a study are asked for none, and copies and their pages took much of a short run. Thread-safe once it is filled.
/// </summary>
internal sealed unsafe class KeptParameters : IDisposable
{
    // From so many bytes on, outcomes that nobody disposes of hurry the collector, which otherwise knows nothing of their memory. It costs a collection now and then.
    private const long HurryFromBytes = 256L << 20;

    private static long s_bytes;

    private readonly Lock _lock = new();
    private readonly List<(nint Block, long Capacity)> _owned = [];
    private readonly (nint Start, int Length)[] _places;
    private readonly byte[]?[] _values;
    private long _bytes, _pressure;

    /// <param name="count">How many there will be.</param>
    public KeptParameters(int count) => (_places, _values) = (new (nint, int)[count], new byte[]?[count]);

    ~KeptParameters() => GiveBack();

    /// <summary>Those of a run that failed.</summary>
    public static KeptParameters None => new(0);

    /// <summary>How many there are.</summary>
    public int Count => _places.Length;

    /// <summary>Takes a buffer's memory out of its pool, for parameters that lie in it.</summary>
    /// <returns>Whether it could be taken.</returns>
    public bool TryTake(BufferPool pool, BufferHandle buffer)
    {
        if (!pool.TryTakeMemory(buffer, out nint block, out long capacity))
        {
            return false;
        }

        Own(block, capacity);
        return true;
    }

    /// <summary>Says where in memory that was taken the parameter at a place lies.</summary>
    public void Place(int index, Span<byte> values)
    {
        fixed (byte* start = values)
        {
            _places[index] = ((nint)start, values.Length);
        }
    }

    /// <summary>Copies the values of the parameter at a place.</summary>
    public void Keep(int index, ReadOnlySpan<byte> values)
    {
        nint block = 0;
        if (!values.IsEmpty)
        {
            block = NativeBlocks.Take(values.Length);
            Own(block, values.Length);
            values.CopyTo(new Span<byte>((void*)block, values.Length));
        }

        _places[index] = (block, values.Length);
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

            (nint start, int length) = _places[index];
            ObjectDisposedException.ThrowIf(length > 0 && _owned.Count == 0, typeof(RunOutcome));
            values = GC.AllocateUninitializedArray<byte>(length);
            new ReadOnlySpan<byte>((void*)start, length).CopyTo(values);
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

    private void Own(nint block, long capacity)
    {
        _owned.Add((block, capacity));
        _bytes += capacity;
        if (Interlocked.Add(ref s_bytes, capacity) > HurryFromBytes)
        {
            _pressure += capacity;
            GC.AddMemoryPressure(capacity);
        }
    }

    private void GiveBack()
    {
        foreach ((nint block, long capacity) in _owned)
        {
            NativeBlocks.Give(block, capacity);
        }

        _owned.Clear();
        Interlocked.Add(ref s_bytes, -_bytes);
        _bytes = 0;
        if (_pressure > 0)
        {
            GC.RemoveMemoryPressure(_pressure);
            _pressure = 0;
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
