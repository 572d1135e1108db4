using DistTrain.Engines;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>What can only be judged from several settings together, or beside the data.</summary>
internal static class ExperimentChecks
{
    /// <summary>Adds what is wrong whatever the data. Sections with problems are left alone: one slip should give one message.</summary>
    public static void WithoutData(Experiment experiment, ConfigMap root, ProblemList problems)
    {
        if (!problems.AnyIn("network"))
        {
            Add(SettingsChecks.Problems(experiment.Settings, trainRows: null), root, problems);
        }
    }

    /// <summary>Adds what does not fit the data.</summary>
    public static void WithData(Experiment experiment, RunData data, ConfigMap root, ProblemList problems)
    {
        RunSettings settings = experiment.Settings;
        Add(SettingsChecks.Problems(settings, data.TrainRows), root, problems);
    }

    private static void Add(IEnumerable<SettingsProblem> found, ConfigMap root, ProblemList problems)
    {
        foreach (SettingsProblem problem in found)
        {
            if (!problems.AnyIn(KeyPath.Section(problem.Key)))
            {
                problems.Add(KeyPath.Locate(root, problem.Key), problem.Key, problem.Message);
            }
        }
    }
}
