using System.Diagnostics;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>One compute thread.</summary>
internal sealed class CrewMember : IDisposable
{
    // Longer spinning only heats a core that a job could use; parking and waking costs 15 to 60 µs.
    private static readonly long SpinTicks = Stopwatch.Frequency * 20 / 1_000_000;

    [ThreadStatic]
    private static CrewMember? t_current;

    private readonly Thread _thread;
    private readonly SemaphoreSlim _wake = new(0);

    public CrewMember(ComputeCrew crew, int index)
    {
        Crew = crew;
        _thread = new Thread(Loop) { IsBackground = true, Name = $"disttrain-compute-{index}" };
    }

    /// <summary>The member whose thread this is, or null.</summary>
    public static CrewMember? Current => t_current;

    public ComputeCrew Crew { get; }

    /// <summary>Turns of actors that this member's own work made ready.</summary>
    public Queue<ActorCell> LocalTurns { get; } = new();

    public void Start() => _thread.Start();

    public void Wake() => _wake.Release();

    /// <summary>Waits for the thread to end.</summary>
    public void Dispose()
    {
        _thread.Join();
        _wake.Dispose();
    }

    private void Loop()
    {
        t_current = this;
        using ComputeScratch scratch = new();
        while (!Crew.IsStopping)
        {
            try
            {
                if (!RunNext(scratch))
                {
                    Idle();
                }
            }
            catch (Exception exception)
            {
                // Nothing above this frame could tell the user; the run ends with what happened.
                Crew.Fail(exception);
            }
        }
    }

    private bool RunNext(ComputeScratch scratch)
    {
        if (LocalTurns.TryDequeue(out ActorCell? local))
        {
            local.RunTurn();
            return true;
        }

        if (!Crew.TryTake(out ActorCell? cell, out Job? job))
        {
            return Crew.Fork.TryHelp();
        }

        if (job is null)
        {
            cell!.RunTurn();
            return true;
        }

        cell!.RunJob(job, scratch);
        return true;
    }

    private void Idle()
    {
        if (Environment.ProcessorCount > 1)
        {
            long end = Stopwatch.GetTimestamp() + SpinTicks;
            while (Stopwatch.GetTimestamp() < end)
            {
                if (Crew.Fork.TryHelp() || Crew.HasWork)
                {
                    return;
                }

                Thread.SpinWait(20);
            }
        }

        if (Crew.TryPark(this))
        {
            _wake.Wait();
        }
    }
}
