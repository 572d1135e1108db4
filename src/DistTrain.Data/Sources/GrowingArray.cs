namespace DistTrain.Data.Sources;

/// <summary>Values whose final count is guessed first: lists of hundreds of megabytes are not to be copied again and again.</summary>
internal sealed class GrowingArray<T>
{
    private T[] _values = [];

    /// <summary>Values so far.</summary>
    public int Count { get; private set; }

    /// <summary>Room for so many more values, which count once they are <see cref="Commit">committed</see>.</summary>
    /// <param name="count">How many.</param>
    /// <param name="guess">How many the array may have in the end; 0 for no idea.</param>
    public Span<T> Room(int count, long guess = 0)
    {
        if (_values.Length - Count < count)
        {
            long needed = Math.Max((long)Count + count, Math.Max(_values.Length * 2L, guess));
            Array.Resize(ref _values, (int)Math.Min(needed, Array.MaxLength));
        }

        return _values.AsSpan(Count, count);
    }

    /// <summary>So many values of the room count.</summary>
    public void Commit(int count) => Count += count;

    /// <summary>Appends a value.</summary>
    public void Add(T value)
    {
        Room(1)[0] = value;
        Commit(1);
    }

    /// <summary>The values; nothing may be added afterwards.</summary>
    public T[] ToArray()
    {
        Array.Resize(ref _values, Count);
        return _values;
    }
}
