using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Spectre.Console;

namespace DistTrain.Commands.Terminal;

/// <summary>What a run is about to do and what it did, as labelled lines.</summary>
internal static class RunReport
{
    /// <summary>What is about to run.</summary>
    public static IReadOnlyList<(string Label, string Text)> Plan(PreparedRun run, RunFolder folder)
    {
        RunSettings settings = run.Experiment.Settings;
        TrainingSettings training = settings.Training;
        string restarts = run.Experiment.Restarts > 1 ? $"{run.Experiment.Restarts} restarts of " : "";
        string falsified = run.Experiment.Byzantine.Count > 0
            ? $", contributions falsified in replica {string.Join(", ", run.Experiment.Byzantine.Select(fault => fault.Replica))}"
            : "";
        string parts = training.MicroBatches > 1 ? $" in {training.MicroBatches} micro-batches" : "";
        return
        [
            ("data", run.Data.Facts.ToString()),
            ("network", $"{Words.Network(settings.Network)}, {Words.ParameterCount(ModelFile.Parameters(settings.Network))}, "
                + $"{Names.Loss.NameOf(settings.Loss)}"),
            ("training", $"{restarts}{Words.Plural(training.Epochs, "epoch")}, batches of {training.BatchSize}{parts}, "
                + $"{Optimizer(settings.Optimizer)}"),
            ("method", $"{Words.Arrangement(settings)}, engine {run.Engine.Name}, "
                + $"{Names.Precision.NameOf(settings.Precision)}, seed {settings.Seed}{falsified}"),
            ("folder", folder.Shown),
        ];
    }

    /// <summary>What came out.</summary>
    public static IReadOnlyList<(string Label, string Text)> Result(RunSummary summary, PreparedRun run, RunFolder folder)
    {
        List<(string, string)> lines = [("result", Outcome(summary, run.Experiment.Settings.Training))];
        if (summary.Seeds.Count > 1)
        {
            lines.Add(("seeds", Seeds(summary)));
        }

        Add(lines, "loss", summary.FinalLoss, summary.TestLoss, Words.Loss);
        Add(lines, "accuracy", summary.TrainAccuracy, summary.TestAccuracy, Words.Percent);
        if (summary.VirtualSeconds is double seconds)
        {
            lines.Add(("virtual", string.Create(CultureInfo.InvariantCulture, $"{seconds:G6} s on the simulated clock, which samples/s count as well")));
        }

        if (run.Experiment.CountsTimeOnly)
        {
            // There are no weights, and nothing that could be done with them.
            return lines;
        }

        // A run that failed leaves no model.
        if (summary.WeightsSha256.Length > 0)
        {
            lines.Add(
                ("weights", $"{Path.Combine(folder.Shown, "model.safetensors")}, "
                + $"sha256 {summary.WeightsSha256[..Math.Min(16, summary.WeightsSha256.Length)]}…"));
        }

        lines.Add(("next", summary.Status switch
        {
            RunStatus.Completed => $"disttrain evaluate {folder.Shown}",
            RunStatus.Diverged => $"start again, for example with --set optimizer.learning-rate={LowerRate(run)}",
            _ => $"disttrain train --resume {folder.Shown}",
        }));
        return lines;
    }

    /// <summary>Prints labelled lines: a table on a terminal, aligned text otherwise.</summary>
    public static void Print(CommandHost host, IReadOnlyList<(string Label, string Text)> lines)
    {
        if (!host.Interactive)
        {
            foreach ((string label, string text) in lines)
            {
                host.Out.WriteLine($"{label,-9} {text}");
            }

            return;
        }

        Grid grid = new();
        grid.AddColumn(new GridColumn().NoWrap().PadRight(2));
        grid.AddColumn();
        foreach ((string label, string text) in lines)
        {
            grid.AddRow($"[grey]{Markup.Escape(label)}[/]", Markup.Escape(text));
        }

        RunDisplay.TerminalOn(host).Write(grid);
    }

    private static string Optimizer(OptimizerSpec optimizer)
    {
        string rate = optimizer.LearningRate.ToString("R", CultureInfo.InvariantCulture);
        string schedule =
            optimizer.Schedule == LearningRateSchedule.Constant ? "" : $" ({Names.LearningRate.NameOf(optimizer.Schedule)})";
        return $"{Names.Optimizer.NameOf(optimizer.Kind)} with learning rate {rate}{schedule}";
    }

    private static string Outcome(RunSummary summary, TrainingSettings training)
    {
        string time = Words.Duration(TimeSpan.FromSeconds(summary.WallSeconds));
        string amount = $"{Words.Plural(summary.Epochs, "epoch")}, {Words.Plural(summary.Steps, "step")} in {time}";
        string pace = summary.SamplesPerSecond is double rate && double.IsFinite(rate) && rate > 0
            ? $", {Words.Count(rate)} samples/s"
            : "";
        string reason = summary.Reason.Length > 0 ? $": {summary.Reason}" : "";
        string early = training.EarlyStoppingPatience is int patience && summary.Epochs < training.Epochs
            ? $"; stopped early, of {Words.Plural(training.Epochs, "epoch")}: the best loss is {Words.Plural(patience, "evaluation")} old"
            : "";
        return summary.Status switch
        {
            RunStatus.Completed => $"completed {amount}{pace}{reason}{early}",
            RunStatus.Stopped => $"stopped as asked at committed step {Words.Count(summary.Steps)}, "
                + $"with {Words.Plural(summary.Epochs, "epoch")} done, after {time}{reason}",
            RunStatus.Diverged => $"diverged after {amount}{reason}",
            _ => $"failed after {amount}{reason}",
        };
    }

    private static string LowerRate(PreparedRun run) => YamlText.Scalar(run.Experiment.Settings.Optimizer.LearningRate / 10);

    private static string Seeds(RunSummary summary)
    {
        // More than this does not read as a line any more; summary.json has them all.
        const int Listed = 8;
        string each = string.Join(", ", summary.Seeds.Take(Listed).Select(Seed)) + (summary.Seeds.Count > Listed ? ", …" : "");
        return summary.Status == RunStatus.Completed
            ? $"kept {summary.Seed} of {summary.Seeds.Count}, the smallest final loss ({each})"
            : each;
    }

    private static string Seed(SeedResult result) => result is { Status: RunStatus.Completed, FinalLoss: double loss }
        ? $"{result.Seed}: {Words.Loss(loss)}"
        : $"{result.Seed}: {result.Status.ToString().ToLowerInvariant()}";

    private static void Add(List<(string, string)> lines, string label, double? train, double? test, Func<double, string> format)
    {
        List<string> parts = [];
        if (train is double onTrain && double.IsFinite(onTrain))
        {
            parts.Add($"{format(onTrain)} on training rows");
        }

        if (test is double onTest && double.IsFinite(onTest))
        {
            parts.Add($"{format(onTest)} on test rows");
        }

        if (parts.Count > 0)
        {
            lines.Add((label, string.Join(", ", parts)));
        }
    }
}
