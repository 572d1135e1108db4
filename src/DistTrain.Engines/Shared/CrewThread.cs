using System.Diagnostics.CodeAnalysis;
using DistTrain.Numerics.Layers;

namespace DistTrain.Engines.Shared;

/// <summary>
/// A thread that computes for one crew after another. Starting a thread costs a quarter of a millisecond and cold working memory more, so one
/// whose crew is done waits for the next crew of this process.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the process.")]
internal sealed class CrewThread
{
    // What a thread keeps between crews; more goes back to the system.
    private const long KeptBytesMax = 4 << 20;

    private static readonly Stack<CrewThread> s_idle = new();
    private static readonly Stack<ComputeScratch> s_scratches = new();
    private static int s_count;

    private readonly SemaphoreSlim _begin = new(0);
    private CrewMember? _member;

    private CrewThread() =>
        new Thread(Loop) { IsBackground = true, Name = $"disttrain-compute-{Interlocked.Increment(ref s_count) - 1}" }.Start();

    /// <summary>Lets an idle thread, or a new one, run a member until its crew stops.</summary>
    public static void Run(CrewMember member)
    {
        CrewThread? thread;
        lock (s_idle)
        {
            s_idle.TryPop(out thread);
        }

        thread ??= new CrewThread();
        thread._member = member;
        thread._begin.Release();
    }

    /// <summary>Runs a member on the calling thread until its crew stops, with working memory that callers leave to each other.</summary>
    public static void RunHere(CrewMember member)
    {
        ComputeScratch? scratch;
        lock (s_scratches)
        {
            s_scratches.TryPop(out scratch);
        }

        scratch ??= new ComputeScratch();
        member.Loop(scratch);
        scratch = Cleared(scratch);
        lock (s_scratches)
        {
            s_scratches.Push(scratch);
        }
    }

    private static ComputeScratch Cleared(ComputeScratch scratch)
    {
        scratch.Release(0);
        if (scratch.CapacityBytes <= KeptBytesMax)
        {
            return scratch;
        }

        scratch.Dispose();
        return new ComputeScratch();
    }

    private void Loop()
    {
        ComputeScratch scratch = new();
        while (true)
        {
            _begin.Wait();
            CrewMember member = _member!;
            member.Loop(scratch);
            _member = null;
            scratch = Cleared(scratch);
            lock (s_idle)
            {
                s_idle.Push(this);
            }

            member.OnEnded();
        }
    }
}
