using System.Runtime.ExceptionServices;
using DistTrain.Commands.Papers;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;

namespace DistTrain.Commands.Studies;

/// <summary>Runs combinations beside one another, one to a core, and tells how far they are. Results have the order of the combinations.</summary>
internal sealed class StudyRunner(IEngine engine, CommandHost host, bool quiet)
{
    private readonly Lock _lock = new();
    private ExceptionDispatchInfo? _failure;
    private int _next, _stepsDone;

    /// <summary>Runs everything that is not refused, until the host asks to stop.</summary>
    public IReadOnlyList<StudyRun> Run(IReadOnlyList<StudyCase> cases)
    {
        StudyRun[] runs = [.. cases.Select(one => new StudyRun(one))];
        int steps = (int)Math.Min(int.MaxValue, cases.Sum(StepsOf));
        using (PaperProgress progress = new(host, quiet, "study locking: steps"))
        {
            Thread[] workers = [.. Enumerable.Range(0, Math.Min(Environment.ProcessorCount, cases.Count))
                .Select(_ => new Thread(() => Work(runs, progress, steps)))];
            Array.ForEach(workers, worker => worker.Start());
            Array.ForEach(workers, worker => worker.Join());
        }

        _failure?.Throw();
        return runs;
    }

    private static long StepsOf(StudyCase one)
    {
        if (one.Request is not RunRequest request)
        {
            return 0;
        }

        int batch = request.Settings.Training.BatchSize;
        return (long)((request.Data.TrainRows + batch - 1) / batch) * request.Settings.Training.Epochs;
    }

    private void Work(StudyRun[] runs, PaperProgress progress, int steps)
    {
        for (int index = Interlocked.Increment(ref _next) - 1; index < runs.Length; index = Interlocked.Increment(ref _next) - 1)
        {
            try
            {
                runs[index] = StudyRun.Of(runs[index].Case, engine, (_, _) => Progress(progress, steps), host.Stop);
                Tell(runs[index]);
            }
            catch (Exception failure)
            {
                // The first one is thrown where the study was asked for; nobody starts another run.
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
                Interlocked.Exchange(ref _next, runs.Length);
            }
        }
    }

    private void Progress(PaperProgress progress, int steps)
    {
        lock (_lock)
        {
            progress.Report(++_stepsDone, steps);
        }
    }

    private void Tell(StudyRun run)
    {
        if (quiet || host.Interactive || run.Outcome is not RunOutcome outcome)
        {
            return;
        }

        lock (_lock)
        {
            host.Out.WriteLine(
                $"{run.Case.Title}: {run.Status}, {Words.Plural(outcome.Steps, "step")}, {StudyWords.Seconds(run.Seconds)} virtual, {Words.Duration(outcome.Wall)}");
        }
    }
}
