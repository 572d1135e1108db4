using System.Globalization;
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
        Table table = PaperTerminal.Table(2, "example", "number", "printed", "ours", "agrees");
        table.AddColumn("");
        string section = "";
        foreach (PrintedFigure figure in figures)
        {
            string verdict = figure.Agrees ? "yes" : figure.Misprint ? "misprint" : "NO";
            string ours = figure.Ours.ToString("0.############", CultureInfo.InvariantCulture);
            table.Add(figure.Section == section ? "" : figure.Section, figure.Quantity, figure.Printed, ours, verdict, figure.Note);
            section = figure.Section;
        }

        PaperTerminal.On(host).Write(table);
        int wrong = figures.Count(figure => !figure.Holds), misprints = figures.Count(figure => !figure.Agrees && figure.Misprint);
        host.Out.WriteLine(wrong == 0
            ? $"Result: {Words.Plural(figures.Count - misprints, "printed number")} reproduced to the last printed digit; {Words.Plural(misprints, "misprint")} in the lecture."
            : $"Result: NOT reproduced; {Words.Plural(wrong, "number")} of {figures.Count} differ beyond the printed digits.");
    }

    private void Write(IReadOnlyList<PrintedFigure> figures) => PaperJson.Write(host.Out, json =>
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
