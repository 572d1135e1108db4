using System.Globalization;
using DistTrain.Commands.Papers;
using DistTrain.Commands.Runs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Spectre.Console;

namespace DistTrain.Commands.Terminal;

/// <summary>A plan as tables for people.</summary>
internal sealed class PlanReport(CommandHost host)
{
    // More actors than this do not read as a table any more; --json has them all.
    private const int ActorsListed = 12;

    /// <summary>Prints what a run would cost by each method.</summary>
    public void Print(PreparedRun run, CostTable costs, MachineProfile machine)
    {
        RunSettings settings = run.Experiment.Settings;
        CostEntry[] served = [.. costs.Methods.Where(entry => entry.Refusal is null)];
        RunReport.Print(host,
        [
            ("data", run.Data.Facts.ToString()),
            ("network", $"{Words.Network(settings.Network)}, {Words.ParameterCount(ModelFile.Parameters(settings.Network))}"),
            ("training", $"{Words.Plural(settings.Training.Epochs, "epoch")}, batches of {settings.Training.BatchSize}: {Words.Plural(Steps(run), "step")}"
                + (run.Experiment.Restarts > 1 ? $", and the same again for each of {run.Experiment.Restarts} restarts" : "")),
            ("method", $"{Words.Arrangement(settings)}; * marks it below"),
        ]);
        PrintArithmetic(served, machine);
        foreach (CostEntry entry in costs.Methods.Where(entry => entry.Refusal is not null))
        {
            host.Out.WriteLine($"{Label(entry)} cannot serve: {entry.Refusal}");
        }

        PrintMessages(served);
        PrintMemory(served);
        host.Out.WriteLine(Verdict(costs.Verdict, run));
    }

    /// <summary>Steps of a run.</summary>
    public static long Steps(PreparedRun run)
    {
        TrainingSettings training = run.Experiment.Settings.Training;
        return (run.Data.Run.TrainRows + (long)training.BatchSize - 1) / training.BatchSize * training.Epochs;
    }

    /// <summary>Whether an entry is one of several schedules.</summary>
    public static bool HasSchedule(CostEntry entry) => entry.Settings.Name == "backprop";

    /// <summary>Whether an entry is one of several forms.</summary>
    public static bool HasForm(CostEntry entry) => entry.Settings.Form != ContributionForm.Auto;

    /// <summary>A form's name in experiment files.</summary>
    public static string FormName(ContributionForm form) => form.ToString().ToLowerInvariant();

    /// <summary>A link's name.</summary>
    public static string LinkName(CostLink link) => link switch
    {
        CostLink.Layers => "layers",
        CostLink.ToServer => "to-server",
        CostLink.FromServer => "from-server",
        _ => "coordinator",
    };

    /// <summary>An entry's messages added up by link.</summary>
    public static IEnumerable<CostMessage> ByLink(CostEntry entry) => entry.Messages.GroupBy(message => message.Link).OrderBy(group => group.Key)
        .Select(group => new CostMessage(
            LinkName(group.Key),
            group.Key,
            group.Sum(message => message.PerStep),
            group.Sum(message => message.BytesPerStep),
            group.Sum(message => message.Total),
            group.Sum(message => message.BytesTotal)));

    private static string Label(CostEntry entry) =>
        HasSchedule(entry) ? $"{entry.Settings.Name} {entry.Settings.Schedule}"
        : HasForm(entry) ? $"{entry.Settings.Name} {FormName(entry.Settings.Form)}"
        : entry.Settings.Name;

    private void PrintArithmetic(IReadOnlyList<CostEntry> served, MachineProfile machine)
    {
        Table table = PaperTerminal.Table(1, "FLOPs of matrix products", "a step", "once", "in all", "values", "memory", "time");
        foreach (CostEntry entry in served)
        {
            CostArithmetic cost = entry.Arithmetic;
            table.Add(
                (entry.Planned ? "* " : "  ") + Label(entry),
                Short(2 * cost.PerStep),
                Short(2 * cost.Once),
                Short(2 * cost.Total),
                Short(cost.UpdatesPerStep),
                Bytes(entry.MemoryBytes),
                Time(entry.Seconds));
        }

        PaperTerminal.On(host).Write(table);
        host.Out.WriteLine("In all: steps, one-time work and evaluations. Values: those that the optimizer updates in a step.");
        host.Out.WriteLine($"Time: predicted for one process on {machine.Name}, {Words.Plural(machine.Threads, "thread")}.");
    }

    private void PrintMessages(IReadOnlyList<CostEntry> served)
    {
        Table table = PaperTerminal.Table(2, "messages", "between", "a step", "in all", "bytes/step", "in all");
        foreach (CostEntry entry in served.DistinctBy(entry => (entry.Settings.Name, entry.Settings.Form)))
        {
            // Every schedule sends the same messages, in another order.
            string label = HasSchedule(entry) ? entry.Settings.Name : Label(entry);
            foreach (CostMessage link in ByLink(entry))
            {
                table.Add(label, link.Tag, Short(link.PerStep), Short(link.Total), Bytes(link.BytesPerStep), Bytes(link.BytesTotal));
                label = "";
            }
        }

        PaperTerminal.On(host).Write(table);
        host.Out.WriteLine("Acknowledgements and retries come on top; bytes are those of tensors.");
    }

    private void PrintMemory(IReadOnlyList<CostEntry> served)
    {
        Table table = PaperTerminal.Table(1, "memory of each actor", "weights", "state", "gradients", "stored", "contrib.");
        foreach (CostEntry entry in served)
        {
            table.Add(Label(entry), "", "", "", "", "");
            foreach (CostActor actor in entry.Actors.Take(ActorsListed))
            {
                table.Add(
                    actor.Count > 1 ? $"  {actor.Count} x {actor.Name}" : $"  {actor.Name}",
                    Bytes(actor.WeightBytes),
                    Bytes(actor.StateBytes),
                    Bytes(actor.GradientBytes),
                    Bytes(actor.ActivationBytes),
                    Bytes(actor.ContributionBytes));
            }

            if (entry.Actors.Count > ActorsListed)
            {
                table.Add($"  {entry.Actors.Count - ActorsListed} more: --json", "", "", "", "", "");
            }
        }

        PaperTerminal.On(host).Write(table);
        host.Out.WriteLine("Most that each holds, of its own or lent within one process, without the data. Stored: activations between forward and backward passes. Contrib.: S0 and coordinates of all rows, basis, tiles.");
        if (served.FirstOrDefault(entry => entry.HistoryBytes > 0) is CostEntry collapsed)
        {
            host.Out.WriteLine($"Of front contribution's weights {Bytes(collapsed.HistoryBytes)} a version are histories (collapse: all): base, past inputs and deltas of the layers between.");
        }
    }

    private static string Verdict(CostVerdict? verdict, PreparedRun run)
    {
        if (verdict is null)
        {
            return "Front contribution cannot serve this experiment; the lines above say why.";
        }

        string form = FormName(verdict.Form), size = $"{Words.Count(run.Data.Run.TrainRows)} rows of {Words.Count(run.Data.Run.Inputs)} features";
        string rows = verdict.RowsMax > 0 ? $"up to {Words.Count(verdict.RowsMax)} training rows" : "for no number of training rows";
        string inputs = verdict.InputsMin is int features ? $"from {Words.Count(features)} features" : "for no number of features";
        string epochs = verdict.EpochsMin is int first ? $"from {Words.Plural(first, "epoch")}" : "for no number of epochs";
        string limits = $"All else unchanged it would pay {rows}, {inputs} and {epochs}.";
        return verdict.Pays
            ? $"Front contribution pays: with {size} its {form} form takes {Factor(verdict.Factor)} times fewer FLOPs than backpropagation over the whole run "
                + $"(at most {Factor(verdict.Ceiling)} in the first layer). {Time(verdict)}{limits}"
            : $"Front contribution is not worth it: with {size} its better form ({form}) takes {Factor(1 / verdict.Factor)} times the FLOPs of "
                + $"backpropagation over the whole run. {Time(verdict)}{limits}";
    }

    private static string Time(CostVerdict verdict) => !double.IsFinite(verdict.TimeFactor) ? ""
        : $"Backpropagation's predicted time is {Factor(verdict.TimeFactor)} times that of front contribution. ";

    private static string Time(double seconds) => seconds < 0.9995 ? Short(1e3 * seconds, "ms") : Short(seconds, "s");

    private static string Short(double number, string unit) => number.ToString(number < 9.95 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + unit;

    private static string Factor(double factor) => factor.ToString(factor < 9.95 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    private static string Short(double number) => Scaled(number, 1000, ["", " k", " M", " G", " T", " P", " E", " Z"]);

    private static string Bytes(double number) => Scaled(number, 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB", " ZiB"]);

    /// <summary>Three figures and a unit; whole numbers below the first unit.</summary>
    private static string Scaled(double number, double step, string[] units)
    {
        if (number == 0)
        {
            return "-";
        }

        int unit = 0;
        while (number >= 0.9995 * step && unit < units.Length - 1)
        {
            number /= step;
            unit++;
        }

        string format = unit == 0 || number >= 99.95 ? "0" : number >= 9.995 ? "0.0" : "0.00";
        return number.ToString(format, CultureInfo.InvariantCulture) + units[unit];
    }
}
