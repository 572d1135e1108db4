using Spectre.Console;

namespace DistTrain.Commands.Papers;

/// <summary>Where the paper commands print tables.</summary>
internal static class PaperTerminal
{
    private const int PlainWidth = 132;

    /// <summary>The host's output: as it is on a terminal, without colours and wide enough for every table elsewhere.</summary>
    public static IAnsiConsole On(CommandHost host)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = host.OutTerminal,
            Ansi = host.Interactive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = host.Interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = host.Interactive ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!host.Interactive)
        {
            console.Profile.Width = PlainWidth;
            console.Profile.Capabilities.Unicode = true;
        }

        return console;
    }

    /// <summary>A table with the given column titles; columns after the first <paramref name="texts"/> hold figures and
    /// align right. Tables fit 80 characters.</summary>
    public static Table Table(int texts, params string[] titles)
    {
        Table table = new() { Border = TableBorder.Simple };
        for (int i = 0; i < titles.Length; i++)
        {
            TableColumn column = new TableColumn(Markup.Escape(titles[i])) { Padding = new Padding(0, 0, 1, 0) };
            table.AddColumn(i < texts ? column.NoWrap() : column.NoWrap().RightAligned());
        }

        return table;
    }

    /// <summary>Adds a row of plain text.</summary>
    public static void Add(this Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(cell))]);
}
