using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>What one compute thread does for a crew.</summary>
internal sealed class CrewMember : IDisposable
{
    // As long as parking and waking takes, 15 to 60 µs, of which whoever wakes pays a part: so no wait costs more than twice what it would have with foresight.
    private static readonly long SpinTicks = Stopwatch.Frequency * 50 / 1_000_000;

    // So often, some 20 ns apart, it looks at what only it can do soon before it looks at the clock, and at what anybody may take.
    private const int LooksAtATime = 16;

    // Turns that run their own short jobs can go on for as long as the training does; what is shared must not wait for its end.
    private const int LocalTurnsInARowMax = 32;

    [ThreadStatic]
    private static CrewMember? t_current;

    private readonly SemaphoreSlim _wake = new(0);
    private readonly SemaphoreSlim _ended = new(0);
    private int _localInARow;
    private bool _queuedFirst;

    /// <param name="crew">Whom it belongs to.</param>
    /// <param name="index">Its place there, from 0.</param>
    public CrewMember(ComputeCrew crew, int index) => (Crew, Index) = (crew, index);

    /// <summary>The member whose thread this is, or null.</summary>
    public static CrewMember? Current => t_current;

    public ComputeCrew Crew { get; }

    /// <summary>Its place in the crew, from 0.</summary>
    public int Index { get; }

    /// <summary>Where it is given work. Made before <see cref="LocalTurns"/>, whose counts change all the time and would lie on the line that others fetch to find this.</summary>
    public HandOverSlot HandOver { get; } = new();

    /// <summary>Turns of actors that this member's own work made ready.</summary>
    public Queue<ActorCell> LocalTurns { get; } = new();

    public void Start() => CrewThread.Run(this);

    public void Wake() => _wake.Release();

    /// <summary>The thread has left <see cref="Loop"/>.</summary>
    public void OnEnded() => _ended.Release();

    /// <summary>Waits until the thread that was lent has left the crew.</summary>
    public void WaitForEnd() => _ended.Wait();

    public void Dispose()
    {
        _ended.Dispose();
        _wake.Dispose();
    }

    /// <summary>Works until the crew stops.</summary>
    /// <param name="scratch">The thread's working memory.</param>
    public void Loop(ComputeScratch scratch)
    {
        // Who calls an engine may itself compute for another run, whose observer called it.
        CrewMember? before = t_current;
        t_current = this;
        HandOver.Open();
        while (!Crew.IsStopping)
        {
            try
            {
                if (!RunNext(scratch))
                {
                    Idle(scratch);
                }
            }
            catch (Exception exception)
            {
                // Nothing above this frame could tell the user; the run ends with what happened.
                Crew.Fail(exception);
            }
        }

        t_current = before;
    }

    private bool RunNext(ComputeScratch scratch)
    {
        if (_localInARow < LocalTurnsInARowMax && LocalTurns.TryDequeue(out ActorCell? local))
        {
            _localInARow++;
            local.RunTurn(scratch);
            return true;
        }

        _localInARow = 0;
        _queuedFirst = !_queuedFirst;
        if (Crew.Take(this, _queuedFirst) is object item)
        {
            Run(item, scratch);
            return true;
        }

        return LocalTurns.Count > 0 || Crew.TryHelp(Index);
    }

    private static void Run(object item, ComputeScratch scratch)
    {
        if (item is ActorCell turn)
        {
            turn.RunTurn(scratch);
        }
        else
        {
            Job job = (Job)item;
            ActorCell.Of(job).RunJob(job, scratch);
        }
    }

    private void Idle(ComputeScratch scratch)
    {
        if (Environment.ProcessorCount > 1 && LooksForWork(out object? given))
        {
            if (given is not null)
            {
                Run(given, scratch);
            }
        }
        else if (Crew.TryPark(this))
        {
            _wake.Wait();
            HandOver.Open();
        }
    }

    /// <summary>Waits for work for as long as that is cheaper than to sleep.</summary>
    /// <param name="given">What it has been given meanwhile; null for nothing.</param>
    /// <returns>Whether there is some.</returns>
    private bool LooksForWork(out object? given)
    {
        long end = Stopwatch.GetTimestamp() + SpinTicks;
        while (Stopwatch.GetTimestamp() < end)
        {
            for (int look = 0; look < LooksAtATime; look++)
            {
                // Taken where it is seen: on its way from another core it has lost enough time.
                given = Crew.TakeGiven(this);
                if (given is not null || Crew.WantsHelp(Index))
                {
                    return true;
                }

                if (X86Base.IsSupported)
                {
                    X86Base.Pause();
                }
                else
                {
                    Thread.SpinWait(1);
                }
            }

            if (Crew.HasWork)
            {
                given = null;
                return true;
            }
        }

        given = null;
        return false;
    }
}
