using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// A node's compute threads as <see cref="Shared.ComputeCrew"/> has them: actors and jobs share them, a thread drains the turns that it caused itself, takes shared
/// turns and jobs otherwise, helps with a product, looks for work for a moment, and sleeps.
/// </summary>
internal sealed class SimulatedCrew
{
    /// <summary>How long a thread looks for work before it sleeps, as in <see cref="Shared.CrewMember"/>.</summary>
    public const long SpinNanoseconds = 20_000;

    public SimulatedCrew(int threads)
    {
        Members = [.. Enumerable.Range(0, threads).Select(index => new SimulatedMember(index))];
        foreach (SimulatedMember member in Members)
        {
            Parked.Push(member);
        }
    }

    public SimulatedMember[] Members { get; }

    /// <summary>Turns that no thread of this crew caused.</summary>
    public Queue<(int Actor, int Life)> Turns { get; } = new();

    public Queue<WaitingJob> Jobs { get; } = new();

    public Stack<SimulatedMember> Parked { get; } = new();

    /// <summary>The thread whose product others may help with; null for none.</summary>
    public SimulatedMember? Forker { get; private set; }

    /// <summary>Pieces of the open product that nobody has begun.</summary>
    public int Unclaimed { get; private set; }

    /// <summary>Pieces of the open product that are not done.</summary>
    public int Undone { get; private set; }

    /// <summary>Nanoseconds of a piece on one thread.</summary>
    public double PieceNanoseconds { get; private set; }

    /// <summary>Opens a product; false when another one is open.</summary>
    public bool TryFork(SimulatedMember member, JobPart part)
    {
        int pieces = part.Chunks(Members.Length);
        if (pieces < 2 || Forker is not null)
        {
            return false;
        }

        (Forker, Unclaimed, Undone) = (member, pieces, pieces);
        PieceNanoseconds = 1e9 * part.Seconds / pieces;
        return true;
    }

    /// <summary>Begins a piece.</summary>
    public void Claim() => Unclaimed--;

    /// <summary>Ends a piece; the product is closed with its last one.</summary>
    /// <returns>Whether it was the last.</returns>
    public bool Finish()
    {
        Undone--;
        return Undone == 0;
    }

    /// <summary>The product is done.</summary>
    public void Close() => Forker = null;
}

/// <summary>What a simulated compute thread does.</summary>
internal enum MemberMode
{
    Parked,
    Waking,
    Looking,
    Taking,
    Turn,
    Job,
    Piece,
    Joining,
}

/// <summary>A simulated compute thread.</summary>
internal sealed class SimulatedMember(int index)
{
    public int Index { get; } = index;

    public MemberMode Mode { get; set; }

    /// <summary>Counts what it waited for: only the newest counts.</summary>
    public int Setting { get; set; }

    /// <summary>Turns that its own work caused.</summary>
    public Queue<(int Actor, int Life)> LocalTurns { get; } = new();

    /// <summary>Short jobs that its turns asked for, which it runs itself.</summary>
    public Queue<WaitingJob> LocalJobs { get; } = new();

    /// <summary>The actor of its turn, and how many stimuli that has handled.</summary>
    public (int Actor, int Life, int Handled) Turn { get; set; }

    /// <summary>Its job; null for none.</summary>
    public Job? Job { get; set; }

    /// <summary>The job's actor, its price, the next part and when it began.</summary>
    public (int Actor, int Life, JobPrice Price, int Part, long Since) Running { get; set; }

    /// <summary>Whether it computes.</summary>
    public bool Computes => Mode is MemberMode.Job or MemberMode.Piece or MemberMode.Turn or MemberMode.Taking;
}
