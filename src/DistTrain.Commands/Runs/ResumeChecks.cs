using DistTrain.Commands.Experiments;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>Says what may change when a run goes on: how long and where it runs, but not what it computes.</summary>
internal static class ResumeChecks
{
    private static readonly string[] Changeable =
    [
        "name", "engine", "durability", "patience", "backup-after", "compute-threads", "steps-in-flight", "checkpoint", "simulation", "processes",
        "training.epochs", "training.evaluate-every", "training.early-stopping", "training.restarts", "data.ship",
    ];

    /// <summary>
    /// Throws <see cref="InvalidInputException"/> when <paramref name="wanted"/> is not a continuation of
    /// <paramref name="stored"/>.
    /// </summary>
    public static void Check(Experiment stored, Experiment wanted, RunFolder folder)
    {
        string before = Words.Network(stored.Settings.Network), now = Words.Network(wanted.Settings.Network);
        if (ExperimentWriter.Write(OnlyNetwork(stored, wanted)) != ExperimentWriter.Write(wanted))
        {
            string difference =
                before == now ? "their initializers differ" : $"the run trains {before}, and the settings name {now}";
            throw new InvalidInputException(
                $"--resume {folder.Shown}: this would be a resume from another network: {difference}; drop the change, "
                + "or start a new run without --resume");
        }

        // Faults other than falsified contributions change nothing that is computed, and one that ended a run must not end it again.
        bool sameComputation = stored.Byzantine.SequenceEqual(wanted.Byzantine);
        string[] changed =
            [.. Differences(stored, wanted).Where(key => !IsChangeable(key) && !(sameComputation && IsFault(key)))];
        if (changed.Length > 0)
        {
            throw new InvalidInputException(
                $"--resume {folder.Shown}: a resumed run goes on exactly as it began, "
                + $"and these settings differ: {string.Join(", ", changed)}; drop the changes, "
                + "or start a new run without --resume (training.epochs may be raised)");
        }

        if (wanted.Settings.Training.Epochs < stored.Settings.Training.Epochs)
        {
            throw new InvalidInputException(
                $"--resume {folder.Shown}: training.epochs: {wanted.Settings.Training.Epochs} is less than the run's "
                + $"{stored.Settings.Training.Epochs}; epochs may only be raised");
        }

        if (wanted.Settings.Method.Name == "greedy" && wanted.Settings.Training.Epochs != stored.Settings.Training.Epochs)
        {
            throw new InvalidInputException(
                $"--resume {folder.Shown}: training.epochs: greedy splits the run's {stored.Settings.Training.Epochs} epochs among "
                + "its stages, so they stay; start a new run without --resume");
        }

        if (wanted.Restarts < stored.Restarts)
        {
            throw new InvalidInputException(
                $"--resume {folder.Shown}: training.restarts: {wanted.Restarts} is less than the run's {stored.Restarts}; "
                + "restarts may only be raised");
        }
    }

    /// <summary>Whether early stopping ended a run, so that more epochs alone would not let it train on.</summary>
    public static bool StoppedEarly(Experiment stored, RunSummary summary) =>
        stored.Settings.Training.EarlyStoppingPatience is not null && summary.Status == RunStatus.Completed
        && summary.Epochs < stored.Settings.Training.Epochs;

    /// <summary>Whether <paramref name="wanted"/> asks more of a run than <paramref name="completed"/> says is done.</summary>
    public static bool IsLonger(Experiment stored, Experiment wanted, RunSummary completed) =>
        wanted.Settings.Training.Epochs > stored.Settings.Training.Epochs || wanted.Restarts > stored.Restarts
        || (StoppedEarly(stored, completed)
            && !(wanted.Settings.Training.EarlyStoppingPatience <= stored.Settings.Training.EarlyStoppingPatience));

    /// <summary>The setting that would let a finished run train on; null where there is none.</summary>
    public static string? SettingToTrainOn(Experiment stored, RunSummary summary) =>
        StoppedEarly(stored, summary) ? $"training.early-stopping.patience={2L * stored.Settings.Training.EarlyStoppingPatience}"
        : stored.Settings.Method.Name == "greedy" ? null
        : $"training.epochs={2L * stored.Settings.Training.Epochs}";

    /// <summary>The paths of settings that differ, in the order of the file.</summary>
    public static IEnumerable<string> Differences(Experiment a, Experiment b)
    {
        List<(string Key, string Value)> first = Flatten(a), second = Flatten(b);
        return first.Except(second).Concat(second.Except(first)).Select(setting => setting.Key).Distinct();
    }

    private static bool IsChangeable(string key) =>
        Array.Exists(Changeable, free => key == free || key.StartsWith(free + ".", StringComparison.Ordinal));

    private static bool IsFault(string key) => key.StartsWith("faults", StringComparison.Ordinal);

    private static Experiment OnlyNetwork(Experiment stored, Experiment wanted) =>
        wanted with { Settings = wanted.Settings with { Network = stored.Settings.Network } };

    private static List<(string Key, string Value)> Flatten(Experiment experiment)
    {
        ConfigMap root = ConfigText.Document(ExperimentWriter.Write(experiment), "resolved", new ProblemList())
            ?? throw new InvalidOperationException("A written experiment is YAML.");
        List<(string, string)> settings = [];
        Collect(root, "", settings);
        return settings;
    }

    private static void Collect(ConfigNode node, string path, List<(string, string)> settings)
    {
        switch (node)
        {
            case ConfigMap map:
                foreach (ConfigEntry entry in map.Entries)
                {
                    Collect(entry.Value, KeyPath.Join(path, entry.Key), settings);
                }

                break;
            case ConfigList list:
                settings.Add((path, $"{list.Items.Count} items"));
                for (int i = 0; i < list.Items.Count; i++)
                {
                    Collect(list.Items[i], KeyPath.Item(path, i), settings);
                }

                break;
            case ConfigScalar scalar:
                settings.Add((path, scalar.Text));
                break;
        }
    }
}
