namespace DistTrain.Commands.Studies;

/// <summary>Figures of a run at a point that others have reached too; null where there are none.</summary>
/// <param name="Loss">Training loss, smoothed.</param>
/// <param name="Accuracy">On the test rows at the last evaluation, or on the training rows, smoothed, where there are no test rows.</param>
internal readonly record struct PointFigures(double? Loss, double? Accuracy);

/// <summary>Runs that differ in method and seed alone, compared at equal steps and at equal virtual time.</summary>
internal sealed class StudyComparison
{
    private StudyComparison(string group, IReadOnlyList<StudyRun> runs, TimeSpan? at)
    {
        Group = group;
        Runs = runs;
        StudyRun[] measured = [.. runs.Where(run => run.HasFigures)];
        Step = measured.Length == 0 ? 0 : measured.Min(run => run.Outcome!.Steps);
        StudyRun[] complete = [.. measured.Where(run => run.Status == "completed")];
        Seconds = at?.TotalSeconds ?? (complete.Length == 0 ? 0 : complete.Min(run => run.Seconds));
    }

    /// <summary>Depth and condition, for headings; empty where the study has one of each.</summary>
    public string Group { get; }

    public IReadOnlyList<StudyRun> Runs { get; }

    /// <summary>Steps that all have made.</summary>
    public long Step { get; }

    /// <summary>The virtual training time of comparison.</summary>
    public double Seconds { get; }

    /// <summary>The methods in the study's order, each with its runs.</summary>
    public IEnumerable<IGrouping<string, StudyRun>> Methods => Runs.GroupBy(run => run.Case.Method);

    /// <summary>All groups of a study, in its order.</summary>
    public static IReadOnlyList<StudyComparison> Of(IEnumerable<StudyRun> runs, TimeSpan? at) =>
        [.. runs.GroupBy(run => run.Case.Group).Select(group => new StudyComparison(group.Key, [.. group], at))];

    public PointFigures AtStep(StudyRun run) => At(run, point => point.Step <= Step);

    public PointFigures AtTime(StudyRun run) => At(run, point => point.Seconds <= Seconds * (1 + 1e-9));

    /// <summary>The mean over runs of what they have; null where none has it.</summary>
    public static double? Mean(IEnumerable<StudyRun> runs, Func<StudyRun, double?> figure)
    {
        double[] known = [.. runs.Where(run => run.HasFigures).Select(figure).OfType<double>().Where(double.IsFinite)];
        return known.Length == 0 ? null : known.Average();
    }

    private static PointFigures At(StudyRun run, Func<CurvePoint, bool> isReached)
    {
        CurvePoint? training = run.Curve?.Training.LastOrDefault(isReached);
        double? accuracy = run.Case.Request?.Data.TestRows > 0 ? run.Curve?.Test.LastOrDefault(isReached)?.Accuracy : training?.Accuracy;
        return new PointFigures(training?.Loss, accuracy);
    }
}
