namespace DistTrain.Commands.Studies;

/// <summary>The figures of a run, named once for every file that holds them.</summary>
internal static class StudyFigures
{
    /// <summary>Each with its key; null where a run has none.</summary>
    public static IReadOnlyList<(string Key, Func<StudyComparison, StudyRun, double?> Value)> All { get; } =
    [
        ("steps", (_, run) => run.Outcome?.Steps),
        ("virtual_seconds", (_, run) => run.Locks is null ? null : run.Seconds),
        ("virtual_seconds_with_evaluation", (_, run) => run.Outcome?.Virtual?.TotalSeconds),
        ("common_step", (group, _) => group.Step),
        ("loss_at_common_step", (group, run) => group.AtStep(run).Loss),
        ("accuracy_at_common_step", (group, run) => group.AtStep(run).Accuracy),
        ("common_seconds", (group, _) => group.Seconds),
        ("loss_at_common_seconds", (group, run) => group.AtTime(run).Loss),
        ("accuracy_at_common_seconds", (group, run) => group.AtTime(run).Accuracy),
        ("final_train_loss", (_, run) => run.Outcome?.FinalLoss),
        ("final_train_accuracy", (_, run) => run.Outcome?.TrainAccuracy),
        ("final_test_loss", (_, run) => run.Outcome?.TestLoss),
        ("final_test_accuracy", (_, run) => run.Outcome?.TestAccuracy),
        ("utilisation", (_, run) => run.Locks?.Utilisation),
        ("bubble", (_, run) => run.Locks?.Bubble),
        ("bubble_formula", (_, run) => run.Locks is null ? null : run.BubbleFormula),
        ("staleness_mean", (_, run) => run.StalenessMean),
        ("staleness_max", (_, run) => run.StalenessMax),
        ("peak_activation_bytes", (_, run) => run.Locks is null ? null : run.PeakActivationBytes),
        ("bytes_sent", (_, run) => run.Outcome?.BytesSent),
        ("messages_sent", (_, run) => run.Outcome is null ? null : run.Messages),
        ("steps_redone", (_, run) => run.Outcome?.StepsRedone),
        ("restarts", (_, run) => run.Outcome?.Restarts),
    ];
}
