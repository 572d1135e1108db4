using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>What can only be judged from several settings together, or beside the data.</summary>
internal static class ExperimentChecks
{
    /// <summary>
    /// Adds what is wrong whatever the data. Sections with problems are left alone: one slip should give one message.
    /// </summary>
    public static void WithoutData(Experiment experiment, ConfigMap root, ProblemList problems)
    {
        if (!problems.AnyIn("network"))
        {
            Add(SettingsChecks.Problems(experiment.Settings, trainRows: null), root, problems);
        }
    }

    /// <summary>Adds what does not fit the data; the experiment has its input width.</summary>
    public static void WithData(Experiment experiment, RunData data, ConfigMap root, ProblemList problems)
    {
        RunSettings settings = experiment.Settings;
        Add(SettingsChecks.Problems(settings, data.TrainRows), root, problems);
        try
        {
            NetworkChecks.Validate(settings.Network, settings.Loss);
        }
        catch (InvalidInputException error)
        {
            Add([KeyPath.Split(error.Message)], root, problems);
            return;
        }

        CheckOutputs(settings, data, root, problems);
    }

    /// <summary>
    /// Adds a problem that another part of the program found, at the place of the key that its message begins with.
    /// </summary>
    public static void Add(string message, ConfigMap root, ProblemList problems) => Add([KeyPath.Split(message)], root, problems);

    private static void CheckOutputs(RunSettings settings, RunData data, ConfigMap root, ProblemList problems)
    {
        int last = settings.Network.Layers.Count - 1;
        int outputs = settings.Network.Layers[last] switch
        {
            DenseSpec dense => dense.Units,
            MaxoutSpec maxout => maxout.Units,
            KCompetitiveSpec k => k.Units,
            _ => data.Targets,
        };
        if (outputs != data.Targets)
        {
            string key = $"{KeyPath.Item("network", last)}.{settings.Network.Layers[last].Kind}.units";
            string targets = data.TargetsAreClasses ? $"{data.Targets} classes" : $"targets of {data.Targets} values";
            Add(
                [new SettingsProblem(key, $"the last layer has {outputs} outputs, and the data has {targets}; "
                    + $"expected units: {data.Targets}")], root, problems);
        }
    }

    /// <summary>The faults that wait for a step that the run does not have: training can go on without them, a study of them has nothing to show.</summary>
    public static IEnumerable<SettingsProblem> FaultsBeyondTheEnd(Experiment experiment, RunData data)
    {
        TrainingSettings training = experiment.Settings.Training;
        long perEpoch = ((long)data.TrainRows + training.BatchSize - 1) / training.BatchSize;
        return FaultChecks.BeyondTheEnd(experiment.Faults, perEpoch * training.Epochs);
    }

    /// <summary>Adds problems, each at the place of its key.</summary>
    public static void Add(IEnumerable<SettingsProblem> found, ConfigMap root, ProblemList problems)
    {
        foreach (SettingsProblem problem in found)
        {
            if (!problems.AnyIn(KeyPath.Section(problem.Key)) || problem.Key.Length == 0)
            {
                problems.Add(KeyPath.Locate(root, problem.Key), problem.Key, problem.Message);
            }
        }
    }
}
