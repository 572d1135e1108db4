using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Leading;

/// <summary>Notes on their way to a client: numbered, and kept until they were taken.</summary>
internal sealed class NoteOutbox(long run)
{
    /// <summary>Notes kept for a client that takes none. One that comes back is told which it will not get (<see cref="Lost"/>), and of later steps.</summary>
    private const int NotesMax = 10_000;

    private readonly Queue<RunNote> _kept = new();
    private long _sequence;

    /// <summary>The last note that was not taken and is not kept any more; 0 for none.</summary>
    public long Lost { get; private set; }

    /// <summary>A new note.</summary>
    public RunNote Add(byte[] note)
    {
        RunNote added = new(run, ++_sequence, note);
        _kept.Enqueue(added);
        if (_kept.Count > NotesMax)
        {
            Lost = _kept.Dequeue().Sequence;
        }

        return added;
    }

    /// <summary>Every note up to one was taken.</summary>
    public void Taken(long sequence)
    {
        while (_kept.TryPeek(out RunNote? oldest) && oldest.Sequence <= sequence)
        {
            _kept.Dequeue();
        }
    }

    /// <summary>Notes that were not taken, oldest first.</summary>
    public IEnumerable<RunNote> Waiting => _kept;
}
