using System.Text.RegularExpressions;

namespace DistTrain.Commands.Tests;

/// <summary>The reference of experiment files, docs/experiment.md, taken apart.</summary>
internal static partial class ExperimentReference
{
    private const string KeyHeader = "| key | meaning | default | values |";
    private const string FaultHeader = "| form | example | what happens | engines |";
    private const string MethodHeader = "| method | uses `schedule` | refused with |";

    private static readonly string s_text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "experiment.md")).ReplaceLineEndings("\n");

    /// <summary>Titles of all sections.</summary>
    public static IReadOnlyList<string> Sections { get; } = [.. s_text.Split("\n## ")[1..].Select(section => section[..section.IndexOf('\n', StringComparison.Ordinal)])];

    /// <summary>The text of a section; the empty title stands for what comes before the first.</summary>
    public static string Section(string title)
    {
        int start = title.Length == 0 ? 0 : s_text.IndexOf($"\n## {title}\n", StringComparison.Ordinal);
        start.ShouldBeGreaterThanOrEqualTo(0, title);
        int end = s_text.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        return end < 0 ? s_text[start..] : s_text[start..end];
    }

    /// <summary>The YAML of a section's first block.</summary>
    public static string Example(string title) => Block().Match(Section(title)).Groups[1].Value;

    /// <summary>Keys of a section with their defaults as they stand there.</summary>
    public static IReadOnlyList<(string Key, string Default)> Keys(string title) =>
        [.. Rows(title, KeyHeader).Select(cells => (Code(cells[0]), cells[2]))];

    /// <summary>Faults as items of a list, with the engines that serve them.</summary>
    public static IReadOnlyList<(string Item, string[] Engines)> Faults() =>
        [.. Rows("faults", FaultHeader).Select(cells => (Code(cells[1]), cells[3].Split(", ").Select(Code).ToArray()))];

    /// <summary>Methods with what they are refused with.</summary>
    public static IReadOnlyList<(string Method, string Refused)> Methods() =>
        [.. Rows("method", MethodHeader).SelectMany(cells => cells[0].Split(", ").Select(name => (Code(name), cells[2])))];

    /// <summary>What stands between the two ticks of a cell that holds nothing else; null for other cells.</summary>
    public static string? Literal(string cell) => cell.Length > 2 && cell[0] == '`' && cell.IndexOf('`', 1) == cell.Length - 1 ? cell[1..^1] : null;

    private static string Code(string cell) => Literal(cell).ShouldNotBeNull(cell);

    private static IEnumerable<string[]> Rows(string title, string header)
    {
        string[] lines = Section(title).Split('\n');
        for (int line = 0; line < lines.Length; line++)
        {
            if (lines[line] != header)
            {
                continue;
            }

            for (line += 2; line < lines.Length && lines[line].StartsWith('|'); line++)
            {
                string[] cells = lines[line].Trim('|', ' ').Split(" | ");
                cells.Length.ShouldBe(header.Count(c => c == '|') - 1, lines[line]);
                yield return cells;
            }
        }
    }

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
