namespace DistTrain.Dashboard.Folders;

/// <summary>Keeps every k-th of any number of items, and the last, in bounded memory; k doubles whenever the list is full.</summary>
internal sealed class ThinnedList<T>(int itemsMax)
{
    private readonly List<T> _kept = [];
    private long _every = 1, _count;
    private T? _last;

    /// <summary>Adds an item.</summary>
    public void Add(T item)
    {
        _last = item;
        if (_count++ % _every != 0)
        {
            return;
        }

        if (_kept.Count == itemsMax)
        {
            for (int index = 0; 2 * index < itemsMax; index++)
            {
                _kept[index] = _kept[2 * index];
            }

            _kept.RemoveRange((itemsMax + 1) / 2, itemsMax / 2);
            _every *= 2;
            if ((_count - 1) % _every != 0)
            {
                return;
            }
        }

        _kept.Add(item);
    }

    /// <summary>What is kept, in order.</summary>
    public T[] Items() => _count == 0 || (_count - 1) % _every == 0 ? [.. _kept] : [.. _kept, _last!];
}
