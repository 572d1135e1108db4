namespace DistTrain.Engines.Tests.Shared;

/// <summary>What went over all streams, and how the next write goes.</summary>
internal sealed class FakeWire
{
    public bool TakesAtOnce = true;
    public int Breaks;
    private readonly List<byte> _bytes = [];
    private readonly List<int> _writers = [];

    public IReadOnlyList<int> Writers
    {
        get
        {
            lock (_bytes)
            {
                return [.. _writers];
            }
        }
    }

    public byte[] Written()
    {
        lock (_bytes)
        {
            return [.. _bytes];
        }
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (Interlocked.Exchange(ref Breaks, 0) > 0)
        {
            throw new IOException("the other process is gone");
        }

        lock (_bytes)
        {
            _bytes.AddRange(bytes);
            _writers.Add(Environment.CurrentManagedThreadId);
        }
    }

    public void Clear()
    {
        lock (_bytes)
        {
            _bytes.Clear();
            _writers.Clear();
        }
    }
}
