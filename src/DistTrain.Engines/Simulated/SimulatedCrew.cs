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
    public const long SpinNanoseconds = 50_000;

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

    /// <summary>A thread whose product another one may help with; null for none.</summary>
    public SimulatedMember? HelpableBy(SimulatedMember helper)
    {
        for (int other = 1; other < Members.Length; other++)
        {
            SimulatedMember member = Members[(helper.Index + other) % Members.Length];
            if (member.Unclaimed > 0)
            {
                return member;
            }
        }

        return null;
    }
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

    /// <summary>Pieces of its open product that nobody has begun.</summary>
    public int Unclaimed { get; private set; }

    /// <summary>Pieces of its open product that are not done.</summary>
    public int Undone { get; private set; }

    /// <summary>Nanoseconds of a piece on one thread.</summary>
    public double PieceNanoseconds { get; private set; }

    /// <summary>Whose piece it computes.</summary>
    public SimulatedMember? Forker { get; set; }

    /// <summary>Opens a product for others to help with; false where it is not worth that.</summary>
    /// <param name="part">The product.</param>
    /// <param name="threads">Of the crew.</param>
    public bool TryFork(JobPart part, int threads)
    {
        int pieces = part.Chunks(threads);
        if (pieces < 2)
        {
            return false;
        }

        (Unclaimed, Undone, PieceNanoseconds) = (pieces, pieces, 1e9 * part.Seconds / pieces);
        return true;
    }

    /// <summary>Somebody begins a piece of its product.</summary>
    public void Claim() => Unclaimed--;

    /// <summary>A piece of its product is done; whether it was the last.</summary>
    public bool Finish() => --Undone == 0;

    /// <summary>Whether it computes.</summary>
    public bool Computes => Mode is MemberMode.Job or MemberMode.Piece or MemberMode.Turn or MemberMode.Taking;
}
