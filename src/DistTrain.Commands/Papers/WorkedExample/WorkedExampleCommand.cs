using System.Globalization;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using Spectre.Console;

namespace DistTrain.Commands.Papers.WorkedExample;

/// <summary>The <c>paper worked-example</c> verb.</summary>
internal sealed class WorkedExampleCommand(CommandHost host)
{
    /// <summary>Prints the lecture's numbers beside ours; 1 when one of ours differs beyond the printed digits.</summary>
    public int Execute(bool json)
    {
        IReadOnlyList<PrintedFigure> figures = WorkedExamples.All();
        if (json)
        {
            Write(figures);
        }
        else
        {
            Print(figures);
        }

        return figures.All(figure => figure.Holds) ? ExitCodes.Done : ExitCodes.DidNotHold;
    }

    private void Print(IReadOnlyList<PrintedFigure> figures)
    {
        host.Out.WriteLine("The lecture's worked examples of backpropagation beside what the library's layers, losses and optimizer compute in float64.");
        Table table = PaperTerminal.Table(1, "number", "printed", "ours", "agrees");
        string section = "";
        foreach (PrintedFigure figure in figures)
        {
            if (figure.Section != section)
            {
                section = figure.Section;
                table.Add($"{section}:", "", "", "");
            }

            string verdict = figure.Agrees ? "yes" : figure.Misprint ? "misprint" : "NO";
            string ours = figure.Ours.ToString("0.############", CultureInfo.InvariantCulture);
            table.Add($"  {figure.Quantity}", figure.Printed, ours, figure.Note.Length > 0 ? $"{verdict} *" : verdict);
        }

        PaperTerminal.On(host).Write(table);
        foreach (IGrouping<string, PrintedFigure> note in figures.Where(figure => figure.Note.Length > 0).GroupBy(figure => figure.Note))
        {
            host.Out.WriteLine($"* {string.Join(", ", note.Select(figure => figure.Quantity))}: {note.Key}.");
        }

        int wrong = figures.Count(figure => !figure.Holds), misprints = figures.Count(figure => !figure.Agrees && figure.Misprint);
        host.Out.WriteLine(wrong == 0
            ? $"Result: {Words.Plural(figures.Count - misprints, "printed number")} reproduced as far as their digits go; {Words.Plural(misprints, "misprint")} in the lecture."
            : $"Result: NOT reproduced; {Words.Plural(wrong, "number")} of {figures.Count} differ beyond the printed digits.");
    }

    private void Write(IReadOnlyList<PrintedFigure> figures) => JsonText.Write(host.Out, json =>
    {
        json.WriteString("paper", "worked-example");
        json.WriteBoolean("holds", figures.All(figure => figure.Holds));
        json.WriteStartArray("figures");
        foreach (PrintedFigure figure in figures)
        {
            json.WriteStartObject();
            json.WriteString("example", figure.Section);
            json.WriteString("number", figure.Quantity);
            json.WriteString("printed", figure.Printed);
            json.WriteNumber("ours", figure.Ours);
            json.WriteBoolean("agrees", figure.Agrees);
            json.WriteBoolean("misprint", figure.Misprint);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });
}
