using DistTrain.Commands.Experiments;
using DistTrain.Engines;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Studies.Faults;

/// <summary>A run without faults beside one with them.</summary>
internal sealed record FaultComparison(Experiment Experiment, FaultRun Calm, FaultRun Faulty)
{
    /// <summary>Why the weights may differ; null where they must not.</summary>
    public string? MayDiffer =>
        Experiment.CountsTimeOnly ? "nothing was computed"
        : Experiment.Byzantine.Count > 0 ? "contributions are falsified"
        : Experiment.Settings.ParameterServer.Consistency != Consistency.Sync ? $"consistency {Names.Consistency.NameOf(Experiment.Settings.ParameterServer.Consistency)}"
        : !MethodCatalog.Find(Experiment.Settings.Method.Name)!.Synchronous ? $"method {Experiment.Settings.Method.Name}"
        : null;

    /// <summary>Whether the final weights, and the loss of every step on the way, are the same to the bit.</summary>
    public bool Equal =>
        Calm.Weights.Length > 0 && Calm.Weights == Faulty.Weights && Calm.Outcome.Steps == Faulty.Outcome.Steps && Calm.Losses.SequenceEqual(Faulty.Losses);

    /// <summary>Training time over that without faults.</summary>
    public double SlowDown => Faulty.Training / Calm.Training;

    /// <summary>The guarantees that did not hold, in words.</summary>
    public IReadOnlyList<string> Broken
    {
        get
        {
            List<string> broken = [];
            if (Faulty.StepsLost > 0)
            {
                broken.Add($"{Faulty.StepsLost} committed steps are lost");
            }

            if (MayDiffer is null && Faulty.Outcome.Status == RunStatus.Completed && !Equal)
            {
                broken.Add("the weights are not those of the run without faults");
            }

            if (Faulty.Outcome.Status != RunStatus.Completed && Calm.Outcome.Status == RunStatus.Completed)
            {
                broken.Add($"the run {Faulty.Outcome.Status.ToString().ToLowerInvariant()}: {Faulty.Outcome.Reason}");
            }

            return broken;
        }
    }

    /// <summary>Longest time from a fault to the next committed step; null when there was none.</summary>
    public TimeSpan? LongestRecovery => Faulty.Faults.Max(fault => fault.Recovery);
}
