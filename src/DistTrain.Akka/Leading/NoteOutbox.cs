using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Leading;

/// <summary>Notes on their way to a client: numbered, and kept until they were taken.</summary>
internal sealed class NoteOutbox(long run)
{
    /// <summary>Notes kept: a client that takes none of so many is not there, and is told of later steps only.</summary>
    private const int NotesMax = 10_000;

    private readonly Queue<RunNote> _kept = new();
    private long _sequence;

    /// <summary>A new note.</summary>
    public RunNote Add(byte[] note)
    {
        RunNote added = new(run, ++_sequence, note);
        _kept.Enqueue(added);
        if (_kept.Count > NotesMax)
        {
            _kept.Dequeue();
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
