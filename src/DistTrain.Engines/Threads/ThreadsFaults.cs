using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Threads;

/// <summary>Crashes, pauses, false suspicions and stragglers on the threads engine, at steps and at times of its clock.</summary>
internal sealed class ThreadsFaults(IReadOnlyList<Fault> faults, TimeProvider time, Action<Fault> begun, Action<Fault> happens) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Fault> _byStep = [.. faults.Where(fault => fault.At.Step is not null)];
    private readonly List<ITimer> _timers = [];
    private readonly SortedDictionary<int, long> _downUntil = [];

    // Whether a fault still waits for a step; read without the lock, for every step asks.
    private volatile bool _waitsForStep = faults.Any(fault => fault.At.Step is not null);

    /// <summary>What this engine says against a fault; null for nothing.</summary>
    public static string? Refuses(Fault fault)
    {
        const string Expected = "expected crash, pause, suspect or slow, or engine: simulated";
        return fault switch
        {
            CrashFault { DuringSnapshot: true } => $"engine {ThreadsEngine.EngineName} cannot time a crash within a snapshot; expected no 'during', or engine: simulated",
            CrashFault or PauseFault or SuspicionFault or SlowFault => null,
            _ => $"engine {ThreadsEngine.EngineName} does not serve '{fault.Name}' faults; {Expected}",
        };
    }

    /// <summary>The run starts.</summary>
    public void Start()
    {
        foreach (Fault fault in faults.Where(fault => fault.At.Step is null))
        {
            After(fault.At.After, () => Begin(fault));
        }
    }

    /// <summary>The coordinator issues a step.</summary>
    public void OnIssued(long step)
    {
        if (_waitsForStep)
        {
            TakeDue(step).ForEach(Begin);
        }
    }

    private List<Fault> TakeDue(long step)
    {
        lock (_lock)
        {
            List<Fault> due = _byStep.FindAll(fault => fault.At.Step <= step);
            _byStep.RemoveAll(fault => fault.At.Step <= step);
            _waitsForStep = _byStep.Count > 0;
            return due;
        }
    }

    /// <summary>Starts an actor as soon as something can be started in its place.</summary>
    public void StartWhenUp(ActorId actor, Action start)
    {
        long until;
        lock (_lock)
        {
            until = _downUntil.GetValueOrDefault(actor.Index);
        }

        TimeSpan left = until == 0 ? TimeSpan.Zero : time.GetElapsedTime(time.GetTimestamp(), until);
        if (left <= TimeSpan.Zero)
        {
            start();
        }
        else if (until != long.MaxValue)
        {
            After(left, start);
        }
    }

    /// <summary>A fault begins.</summary>
    public void Begin(Fault fault)
    {
        begun(fault);
        if (fault is CrashFault crash)
        {
            long until = crash.RestartAfter is TimeSpan span
                ? time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency)
                : long.MaxValue;
            lock (_lock)
            {
                _downUntil[crash.Actor.Index] = until;
            }
        }

        happens(fault);
    }

    /// <summary>Does something later, unless the run has ended.</summary>
    public void After(TimeSpan delay, Action action)
    {
        lock (_lock)
        {
            _timers.Add(time.CreateTimer(_ => action(), null, delay, Timeout.InfiniteTimeSpan));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _timers.ForEach(timer => timer.Dispose());
        }
    }
}
