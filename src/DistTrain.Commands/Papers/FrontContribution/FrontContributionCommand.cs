using System.Globalization;
using System.Text.Json;
using DistTrain.Commands.Runs;
using DistTrain.Numerics;
using Spectre.Console;

namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>The <c>paper front-contribution</c> verb.</summary>
internal sealed class FrontContributionCommand(CommandHost host)
{
    /// <summary>Runs, prints and judges; 1 when a scheme that must be exact is not.</summary>
    public int Execute(int iterations, int seeds, IReadOnlyList<string> learningRates, bool json)
    {
        Figure3Settings settings = new(
            Within("--iterations", iterations, 10_000_000), Within("--seeds", seeds, 100_000), [.. learningRates.SelectMany(Rates)]);
        IReadOnlyList<Figure3Row> rows;
        using (PaperProgress progress = new(host, json, "drawing starts"))
        {
            rows = Figure3.Run(settings, progress.Report, host.Stop);
        }

        if (json)
        {
            JsonText.Write(host.Out, writer => Write(writer, settings, rows));
        }
        else
        {
            Print(settings, rows);
        }

        return Figure3.Holds(rows) ? ExitCodes.Done : ExitCodes.DidNotHold;
    }

    private static int Within(string option, int value, int most) => value >= 1 && value <= most
        ? value
        : throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"{option} {value}: expected a whole number from 1 to {most}"));

    private static IEnumerable<double> Rates(string text) => text.Split(',').Select(part =>
        double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) && rate > 0 && double.IsFinite(rate)
            ? rate
            : throw new InvalidInputException($"--learning-rates {text}: '{part}' is not a learning rate; expected numbers above 0, such as 0.1,0.01"));

    private void Print(Figure3Settings settings, IReadOnlyList<Figure3Row> rows)
    {
        IAnsiConsole terminal = PaperTerminal.On(host);
        host.Out.WriteLine("Mishra and Arunkumar, Front Contribution instead of Back Propagation, Figure 3: |y_FC - y_BP|.");
        host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"2-2-1, ReLU, no bias, loss (y - y_g)²/2, XOR, float64; {settings.Iterations:N0} iterations, {settings.Seeds} seeds a line, weights from U(-1, 1)."));
        host.Out.WriteLine("States and chain see all four inputs in turn, the others one input over and over, as in the paper.");
        host.Out.WriteLine("Each line's starts do at every η what it says of the ReLUs; starts from which backpropagation itself diverges are not used.");
        Table table = PaperTerminal.Table(2, "scheme", "ReLU", "η", "updates", "median", "largest", "exact", "<1e-15");
        foreach (Figure3Row row in rows)
        {
            table.Add(
                row.Scheme.Name, Words(row.Transition), Number(row.LearningRate),
                settings.Iterations.ToString("N0", CultureInfo.InvariantCulture), Number(row.Median), Number(row.Largest),
                row.Exact ? "yes" : "no", $"{row.WithinPaperBound}/{row.Runs.Count}");
        }

        terminal.Write(table);
        Charts(settings, rows);
        Verdicts(rows);
    }

    private void Charts(Figure3Settings settings, IReadOnlyList<Figure3Row> rows)
    {
        foreach (Figure3Row row in rows.Where(row => row.Scheme.MustBeExact && row.LearningRate == settings.LearningRates[0]))
        {
            if (row.Transition == Transition.StaysActive)
            {
                host.Out.WriteLine($"Figure 3, {row.Scheme.Name}; η = {Number(row.LearningRate)}, largest error of {row.Runs.Count} runs against the iteration:");
                foreach (string line in ErrorChart.Lines(row.Curve, settings.Iterations))
                {
                    host.Out.WriteLine(line);
                }

                host.Out.WriteLine();
            }
        }
    }

    private void Verdicts(IReadOnlyList<Figure3Row> rows)
    {
        foreach (Scheme scheme in Scheme.All)
        {
            Figure3Row[] own = [.. rows.Where(row => row.Scheme == scheme)];
            string verdict = own.All(row => row.Exact)
                ? "exact: within 1e-12·max(1, |y|) of backpropagation in every run"
                : $"NOT exact: {Distance(own)}{Why(scheme, own)}";
            host.Out.WriteLine($"{scheme.Name}: {verdict}.");
        }

        host.Out.WriteLine(
            $"The paper states an error below 1e-15. That holds in {rows.Where(row => row.Scheme.MustBeExact).Sum(row => row.WithinPaperBound)} of {rows.Where(row => row.Scheme.MustBeExact).Sum(row => row.Runs.Count)} runs of its three schemes{TargetOne(rows)}; one rounding of a number between 1 and 2 is 2.2e-16.");
        host.Out.WriteLine(Figure3.Holds(rows)
            ? "Result: the three schemes of Figure 3 give what backpropagation gives, to rounding error."
            : "Result: NOT reproduced; a scheme of Figure 3 differs from backpropagation by more than rounding error.");
    }

    private static string Distance(IReadOnlyList<Figure3Row> rows)
    {
        double[] finite = [.. rows.SelectMany(row => row.Runs).Select(run => run.Largest).Where(double.IsFinite)];
        string most = finite.Length > 0 ? $"up to {Number(finite.Max())} away from backpropagation" : "";
        int diverged = rows.Sum(row => row.Runs.Count) - finite.Length;
        return diverged == 0 ? most : $"{most}{(most.Length > 0 ? ", and " : "")}diverges in {diverged} runs where backpropagation does not";
    }

    private static string Why(Scheme scheme, IReadOnlyList<Figure3Row> rows) => scheme.Key switch
    {
        "closed-form-printed" => $"; {Number(rows.Max(row => row.AtStart))} before the first update already (the integral of eq. 28 lacks its constant, and with it r5 = w5 at the start)",
        "closed-form-conserved" => $"; it holds for gradient flow, so its error falls with η: median {string.Join(", ", rows.Where(row => row.Transition == Transition.StaysActive).Select(row => $"{Number(row.Median)} at η = {Number(row.LearningRate)}"))} while the ReLU stays active",
        "chain-printed" => "; the states of an input with a zero no longer hold that input's weight",
        _ => "",
    };

    private static string TargetOne(IReadOnlyList<Figure3Row> rows)
    {
        Figure3Row[] single = [.. rows.Where(row => row.Scheme is { MustBeExact: true, AllInputs: false })];
        IEnumerable<string> perRate = single.GroupBy(row => row.LearningRate).Select(group =>
            $"{group.Sum(row => row.WithTargetOne.WithinPaperBound)} of {group.Sum(row => row.WithTargetOne.Runs)} at η = {Number(group.Key)}");
        return $" (single input with label 1, the paper's kind of run: {string.Join(", ", perRate)})";
    }

    private static void Write(Utf8JsonWriter json, Figure3Settings settings, IReadOnlyList<Figure3Row> rows)
    {
        json.WriteString("paper", "front-contribution");
        json.WriteNumber("iterations", settings.Iterations);
        json.WriteNumber("seeds", settings.Seeds);
        json.WriteBoolean("holds", Figure3.Holds(rows));
        json.WriteStartArray("rows");
        foreach (Figure3Row row in rows)
        {
            json.WriteStartObject();
            json.WriteString("scheme", row.Scheme.Key);
            json.WriteString("inputs", row.Scheme.AllInputs ? "all" : "one");
            json.WriteString("relu", row.Transition == Transition.Dies ? "dies" : "stays-active");
            json.WriteNumber("learning_rate", row.LearningRate);
            json.WriteNumberOrNull("median", row.Median);
            json.WriteNumberOrNull("largest", row.Largest);
            json.WriteNumberOrNull("before_first_update", row.AtStart);
            json.WriteBoolean("exact", row.Exact);
            json.WriteNumber("runs_below_1e-15", row.WithinPaperBound);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Words(Transition transition) => transition == Transition.Dies ? "dies" : "lives";

    private static string Number(double value) => !double.IsFinite(value)
        ? "diverges"
        : value.ToString(value is 0 or (>= 0.001 and < 1000) ? "0.###" : "0.0e0", CultureInfo.InvariantCulture);
}
