using DistTrain.Engines;
using DistTrain.Engines.Processes;

namespace DistTrain.Conformance.Support;

/// <summary>Runs in child processes of this assembly.</summary>
internal static class ProcessRuns
{
    /// <summary>This assembly as the program of the children.</summary>
    public static ChildProgram Program { get; } = ChildProgram.Managed(typeof(ProcessRuns).Assembly.Location);

    /// <summary>A request that children can read.</summary>
    public static RunRequest Readable(RunRequest request, int workers) =>
        request with { Experiment = RequestText.Of(request), Workers = workers, ComputeThreads = 1 };

    /// <summary>Runs a request; the run itself is at hand for whoever wants to disturb it.</summary>
    public static RunOutcome Run(
        RunRequest request, Observed observed, Action<ProcessesRun, long>? atStep = null, TimeSpan? silenceMax = null,
        bool sparesSilent = false, CancellationToken stop = default)
    {
        ProcessesRun? current = null;
        Observed steps = new()
        {
            AtStep = step =>
            {
                observed.AtStep?.Invoke(step);
                atStep?.Invoke(current!, step);
            },
            AtNotice = text => observed.AtNotice?.Invoke(text),
        };
        using ProcessesRun run = new(request, steps, Program, TimeProvider.System, silenceMax) { SparesSilent = sparesSilent };
        current = run;
        RunOutcome outcome = run.ToEnd(stop);
        observed.Steps.AddRange(steps.Steps);
        observed.Epochs.AddRange(steps.Epochs);
        observed.Notices.AddRange(steps.Notices);
        observed.Faults.AddRange(steps.Faults);
        return outcome;
    }
}
