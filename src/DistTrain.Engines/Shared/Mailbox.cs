using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Stimuli in the order in which they came, in a ring. Not thread-safe.
/// </summary>
internal sealed class Mailbox
{
    private Stimulus[] _ring = new Stimulus[8];
    private int _first;

    /// <summary>Stimuli that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Adds one behind the others.</summary>
    public void Add(in Stimulus stimulus)
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        _ring[(_first + Count) & (_ring.Length - 1)] = stimulus;
        Count++;
    }

    /// <summary>Takes the oldest off. There is one.</summary>
    public Stimulus Take()
    {
        ref Stimulus place = ref _ring[_first];
        Stimulus stimulus = place;

        // What it refers to would outlive a collection otherwise, and be moved to where garbage is expensive.
        place = default;
        _first = (_first + 1) & (_ring.Length - 1);
        Count--;
        return stimulus;
    }

    /// <summary>Moves everything behind what another one holds.</summary>
    public void MoveTo(Mailbox other)
    {
        while (Count > 0)
        {
            other.Add(Take());
        }
    }

    private void Grow()
    {
        Stimulus[] larger = new Stimulus[2 * _ring.Length];
        int untilEnd = _ring.Length - _first;
        Array.Copy(_ring, _first, larger, 0, untilEnd);
        Array.Copy(_ring, 0, larger, untilEnd, _first);
        (_ring, _first) = (larger, 0);
    }
}
