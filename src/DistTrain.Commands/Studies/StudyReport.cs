using DistTrain.Commands.Papers;
using DistTrain.Engines.Tracing;
using Spectre.Console;

namespace DistTrain.Commands.Studies;

/// <summary>The study's tables on a terminal. Several seeds are averaged.</summary>
internal sealed class StudyReport(CommandHost host)
{
    // More layers than this are shown as their mean.
    private const int LayersMax = 12;
    private readonly IAnsiConsole _console = PaperTerminal.On(host);

    public void Print(IReadOnlyList<StudyComparison> groups)
    {
        foreach (StudyComparison group in groups)
        {
            if (group.Group.Length > 0)
            {
                _console.WriteLine();
                _console.WriteLine(group.Group);
            }

            PrintProgress(group);
            PrintTime(group);
            PrintLocks(group);
            PrintProblems(group);
        }
    }

    private void PrintProgress(StudyComparison group)
    {
        string step = $"at step {group.Step}", time = $"after {StudyWords.Seconds(group.Seconds)}";
        Table table = PaperTerminal.Table(1, "method", "virtual time", $"loss {step}", "accuracy", $"loss {time}", "accuracy");
        foreach (IGrouping<string, StudyRun> method in group.Methods)
        {
            table.Add(
                method.Key,
                StudyWords.Seconds(StudyComparison.Mean(method, run => run.Seconds)),
                StudyWords.Loss(StudyComparison.Mean(method, run => group.AtStep(run).Loss)),
                StudyWords.Percent(StudyComparison.Mean(method, run => group.AtStep(run).Accuracy)),
                StudyWords.Loss(StudyComparison.Mean(method, run => group.AtTime(run).Loss)),
                StudyWords.Percent(StudyComparison.Mean(method, run => group.AtTime(run).Accuracy)));
        }

        _console.Write(table);
    }

    private void PrintTime(StudyComparison group)
    {
        Table table = PaperTerminal.Table(1, "method", "busy", "bubble", "formula", "staleness", "most", "activations", "sent", "messages", "redone");
        foreach (IGrouping<string, StudyRun> method in group.Methods)
        {
            table.Add(
                method.Key,
                StudyWords.Percent(StudyComparison.Mean(method, run => run.Locks!.Utilisation)),
                StudyWords.Percent(StudyComparison.Mean(method, run => run.Locks!.Bubble)),
                StudyWords.Percent(StudyComparison.Mean(method, run => run.BubbleFormula)),
                StudyWords.Number(StudyComparison.Mean(method, run => run.StalenessMean)),
                StudyWords.Number(StudyComparison.Mean(method, run => run.StalenessMax)),
                StudyWords.Bytes(StudyComparison.Mean(method, run => run.PeakActivationBytes)),
                StudyWords.Bytes(StudyComparison.Mean(method, run => run.Outcome!.BytesSent)),
                StudyWords.Number(StudyComparison.Mean(method, run => run.Messages)),
                StudyWords.Number(StudyComparison.Mean(method, run => run.Outcome!.StepsRedone)));
        }

        _console.Write(table);
    }

    private void PrintLocks(StudyComparison group)
    {
        Table table = PaperTerminal.Table(2, ["method", "layer", .. StudyWords.Shares.Select(share => share.Name)]);
        foreach (IGrouping<string, StudyRun> method in group.Methods.Where(method => method.Any(run => run.HasFigures)))
        {
            StudyRun[] runs = [.. method.Where(run => run.HasFigures)];
            IReadOnlyList<LayerTimes> layers = runs[0].Locks!.Layers;
            IEnumerable<(string Name, int[] Indices)> rows = layers.Count > LayersMax
                ? [($"all {layers.Count}", [.. Enumerable.Range(0, layers.Count)])]
                : layers.Select((layer, index) => (layer.Name, (int[])[index]));
            string name = method.Key;
            foreach ((string layer, int[] indices) in rows)
            {
                table.Add([name, layer, .. StudyWords.Shares.Select(share => StudyWords.Percent(StudyComparison.Mean(
                    runs, run => indices.Average(index => run.Locks!.Layers[index].Of(share.Share) / (double)Math.Max(1, run.Locks.Elapsed)))))]);
                name = "";
            }
        }

        _console.Write(table);
    }

    private void PrintProblems(StudyComparison group)
    {
        foreach (StudyRun run in group.Runs.Where(run => run.Reason.Length > 0).DistinctBy(run => (run.Case.Method, run.Reason)))
        {
            _console.WriteLine($"{run.Case.Method} {(run.Status == "refused" ? "cannot serve" : run.Status)}: {run.Reason}");
        }
    }
}
