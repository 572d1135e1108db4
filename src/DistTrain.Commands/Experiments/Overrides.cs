using System.Globalization;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// What the command line changes in an experiment: <c>--set a.b=c</c>, whose value is YAML, so that lists and groups can be given
/// too, <c>--engine</c> and <c>--workers</c>.
/// </summary>
/// <param name="Assignments">As given, in order.</param>
/// <param name="Engine">The engine; null for the experiment's.</param>
/// <param name="Workers">As <c>--set processes.workers=N</c>; null for the experiment's.</param>
internal sealed record Overrides(IReadOnlyList<string> Assignments, string? Engine = null, int? Workers = null)
{
    /// <summary>No change.</summary>
    public static Overrides None { get; } = new([]);

    /// <summary>Applies all of them; what cannot be applied is added to <paramref name="problems"/>.</summary>
    public void Apply(ConfigMap root, ProblemList problems)
    {
        foreach (string assignment in Assignments)
        {
            Apply(root, assignment, problems);
        }

        if (Workers is int workers)
        {
            Apply(root, $"processes.workers={workers}", problems);
        }

        if (Engine is not null)
        {
            SourceMark mark = new("--engine", 0);
            root.Set(new ConfigEntry("engine", mark, new ConfigScalar(mark, Engine, plain: false)));
        }
    }

    private static void Apply(ConfigMap root, string assignment, ProblemList problems)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        string key = equals < 0 ? assignment : assignment[..equals].Trim();
        string[] parts = KeyPath.Parts(key);
        SourceMark mark = new($"--set {string.Join('.', parts)}", 0);
        if (equals <= 0)
        {
            problems.Add(mark, key, "expected key=value, for example --set training.epochs=10");
            return;
        }

        if (ConfigText.Value(assignment[(equals + 1)..], mark, problems) is not ConfigNode value)
        {
            return;
        }

        ConfigNode node = root;
        for (int i = 0; i + 1 < parts.Length; i++)
        {
            if (Descend(node, parts, i, mark, problems) is not ConfigNode inner)
            {
                return;
            }

            node = inner;
        }

        Assign(node, parts[^1], value, mark, problems);
    }

    private static ConfigNode? Descend(ConfigNode node, string[] parts, int index, SourceMark mark, ProblemList problems)
    {
        if (node is ConfigList list)
        {
            return Index(list, parts[index], mark, problems) is int item ? list.Items[item] : null;
        }

        if (node is not ConfigMap map)
        {
            return NotAGroup(node, mark, problems);
        }

        if (map.TryFind(parts[index], out ConfigEntry? entry) && entry.Value is not ConfigScalar)
        {
            return entry.Value;
        }

        ConfigMap created = new(entry?.Mark ?? mark);
        if (entry?.Value is ConfigScalar { IsNull: false } scalar)
        {
            // "optimizer: adam" is short for "optimizer: { name: adam }".
            if (parts[index] is not ("optimizer" or "method"))
            {
                return NotAGroup(scalar, mark, problems);
            }

            created.Set(new ConfigEntry("name", entry.Mark, scalar));
        }

        map.Set(new ConfigEntry(parts[index], created.Mark, created));
        return created;
    }

    private static void Assign(ConfigNode node, string last, ConfigNode value, SourceMark mark, ProblemList problems)
    {
        switch (node)
        {
            case ConfigMap map:
                map.Set(new ConfigEntry(last, mark, value));
                break;
            case ConfigList list when Index(list, last, mark, problems) is int item:
                list.Items[item] = value;
                break;
            case ConfigScalar:
                NotAGroup(node, mark, problems);
                break;
        }
    }

    private static int? Index(ConfigList list, string part, SourceMark mark, ProblemList problems)
    {
        if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < list.Items.Count)
        {
            return index;
        }

        problems.Add(
            mark, "", $"'{part}' is not an item of this list; expected "
                + $"{(list.Items.Count == 0 ? "none, for it is empty" : $"0 to {list.Items.Count - 1}")}");
        return null;
    }

    private static ConfigNode? NotAGroup(ConfigNode node, SourceMark mark, ProblemList problems)
    {
        problems.Add(mark, "", $"{node.Description} (at {node.Mark}) has no keys below it");
        return null;
    }
}
