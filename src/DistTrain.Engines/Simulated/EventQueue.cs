namespace DistTrain.Engines.Simulated;

/// <summary>
/// What is to happen, by virtual time; what happens at the same time happens in the order in which it was put in. A heap of four children a node over small
/// keys, the events themselves in a table beside it: nothing is allocated once both have grown.
/// </summary>
internal sealed class EventQueue
{
    private const int Children = 4;

    private Key[] _heap = new Key[256];
    private SimulatedEvent[] _events = new SimulatedEvent[256];
    private readonly Stack<int> _free = new();
    private int _count, _places;
    private long _order;

    /// <summary>Events that wait.</summary>
    public int Count => _count;

    /// <summary>Puts an event in.</summary>
    /// <param name="at">Virtual time in nanoseconds.</param>
    /// <param name="what">The event.</param>
    public void Add(long at, in SimulatedEvent what)
    {
        if (!_free.TryPop(out int place))
        {
            if (_places == _events.Length)
            {
                Array.Resize(ref _events, 2 * _places);
            }

            place = _places++;
        }

        _events[place] = what;
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, 2 * _count);
        }

        Rise(_count++, new Key(at, _order++, place));
    }

    /// <summary>Takes the next event out; false when there is none.</summary>
    public bool TryTake(out long at, out SimulatedEvent what)
    {
        if (_count == 0)
        {
            (at, what) = (0, default);
            return false;
        }

        Key first = _heap[0];
        (at, what) = (first.At, _events[first.Place]);
        _events[first.Place] = default;
        _free.Push(first.Place);
        if (--_count > 0)
        {
            Sink(_heap[_count]);
        }

        return true;
    }

    private void Rise(int place, Key key)
    {
        while (place > 0)
        {
            int parent = (place - 1) / Children;
            if (!key.IsBefore(_heap[parent]))
            {
                break;
            }

            _heap[place] = _heap[parent];
            place = parent;
        }

        _heap[place] = key;
    }

    /// <summary>Finds the place from the root down for the key that was last.</summary>
    private void Sink(Key key)
    {
        int place = 0;
        while (true)
        {
            int first = (place * Children) + 1;
            if (first >= _count)
            {
                break;
            }

            int least = first, end = Math.Min(first + Children, _count);
            for (int child = first + 1; child < end; child++)
            {
                least = _heap[child].IsBefore(_heap[least]) ? child : least;
            }

            if (!_heap[least].IsBefore(key))
            {
                break;
            }

            _heap[place] = _heap[least];
            place = least;
        }

        _heap[place] = key;
    }

    private readonly struct Key(long at, long order, int place)
    {
        public readonly long At = at, Order = order;
        public readonly int Place = place;

        public bool IsBefore(in Key other) => At < other.At || (At == other.At && Order < other.Order);
    }
}
