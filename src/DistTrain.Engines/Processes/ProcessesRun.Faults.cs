using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Processes;

/// <content>
/// Faults that the experiment asks for, by signals to the processes that host the actors. What else lives in such a process shares its fate.
/// </content>
internal sealed partial class ProcessesRun
{
    private readonly List<Fault> _faults = [];
    private readonly List<(SupervisedProcess Process, ChildProcess Child, TimeSpan Until)> _paused = [];

    /// <summary>What this engine says against a fault; null for nothing.</summary>
    public static string? Refuses(Fault fault) => fault switch
    {
        CrashFault { DuringSnapshot: true } =>
            $"engine {ProcessesEngine.EngineName} cannot time a crash within a snapshot; expected no 'during', or engine: simulated",
        PauseFault when OperatingSystem.IsWindows() => $"engine {ProcessesEngine.EngineName} cannot pause processes on this system; expected crash or suspect",
        CrashFault or PauseFault or SuspicionFault => null,
        _ => $"engine {ProcessesEngine.EngineName} does not serve '{fault.Name}' faults; expected crash, pause or suspect, or engine: simulated",
    };

    /// <summary>How long nothing can happen but what processes tell.</summary>
    private TimeSpan UntilNextLook()
    {
        TimeSpan now = _recorder.Elapsed, next = now + _silenceMax;
        foreach (TimeSpan due in _faults.Where(fault => fault.At.Step is null).Select(fault => fault.At.After)
            .Concat(_paused.Select(paused => paused.Until))
            .Concat(_processes.Select(process => process.Child is null ? process.RestartAt : process.SilentUntil).OfType<TimeSpan>()))
        {
            next = due < next ? due : next;
        }

        return next > now ? next - now : TimeSpan.Zero;
    }

    private void DoDueFaults()
    {
        TimeSpan now = _recorder.Elapsed;
        foreach (Fault fault in Take(fault => fault.At.Step is null && fault.At.After <= now))
        {
            Begin(fault);
        }

        foreach ((SupervisedProcess process, ChildProcess child, TimeSpan _) in _paused.Where(paused => paused.Until <= now))
        {
            GoOn(process, child);
        }

        _paused.RemoveAll(paused => paused.Until <= now);
    }

    private void OnIssued(long step)
    {
        foreach (Fault fault in Take(fault => fault.At.Step <= step))
        {
            Begin(fault);
        }
    }

    private List<Fault> Take(Predicate<Fault> which)
    {
        List<Fault> due = _faults.FindAll(which);
        _faults.RemoveAll(which);
        return due;
    }

    private void BeginByHand(Fault fault)
    {
        if (!_over)
        {
            Begin(fault);
        }
    }

    private void Begin(Fault fault)
    {
        _recorder.OnFault(fault);
        switch (fault)
        {
            case CrashFault crash:
                Crash(_processes[_placement.ProcessOf(crash.Actor)], crash.RestartAfter);
                break;
            case PauseFault pause:
                Pause(_processes[_placement.ProcessOf(pause.Actor)], pause.For);
                break;
            case SuspicionFault suspicion:
                Coordinator.Child?.Send(new Command(CommandKind.Suspect) { Actor = suspicion.Actor.Index });
                break;
        }
    }

    private void Crash(SupervisedProcess process, TimeSpan? restartAfter)
    {
        if (restartAfter is null && process == Coordinator)
        {
            _recorder.On(new RunEnded(RunEnd.Failed, 0, "the coordinator was lost for good"));
            return;
        }

        TimeSpan until = restartAfter is TimeSpan span ? _recorder.Elapsed + span : TimeSpan.MaxValue;
        process.DownUntil = until > process.DownUntil ? until : process.DownUntil;
        process.Child?.Kill();
    }

    private void Pause(SupervisedProcess process, TimeSpan length)
    {
        if (process.Child is ChildProcess child)
        {
            ProcessSignals.Stop(child.Id);
            _paused.Add((process, child, _recorder.Elapsed + length));
        }
    }

    /// <summary>Its number is nobody else's as long as its end was not heard of.</summary>
    private static void GoOn(SupervisedProcess process, ChildProcess child)
    {
        if (process.Child == child)
        {
            ProcessSignals.Continue(child.Id);
        }
    }
}
