using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Presets;
using DistTrain.Numerics;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Studies;

/// <summary>Reads a study file, collecting every problem of the study itself; those of single combinations come later.</summary>
internal sealed class LockingStudyReader
{
    private const int DepthMax = Limits.LayersMax - 1, SeedsMax = 1_000;
    private static readonly string[] OwnMethodKeys = ["label", "optimizer"];
    private readonly string _folder;
    private readonly MapReader _root;
    private readonly ProblemList _problems;

    private LockingStudyReader(ConfigMap root, string folder, ProblemList problems)
    {
        _folder = folder;
        _problems = problems;
        _root = new MapReader(root, "", problems);
    }

    /// <summary>Reads a file. Throws <see cref="InvalidInputException"/> with everything that is wrong.</summary>
    /// <param name="shown">The file as given.</param>
    /// <param name="workingFolder">Where its path starts from.</param>
    public static LockingStudy Read(string shown, string workingFolder)
    {
        string path = Path.GetFullPath(shown, workingFolder);
        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{shown}: there is no such file; expected a study file (disttrain study locking --help shows one)");
        }

        ProblemList problems = new();
        ConfigMap? root = ConfigText.Document(File.ReadAllText(path), shown, problems);
        LockingStudy? study = root is null
            ? null
            : new LockingStudyReader(root, Path.GetDirectoryName(path)!, problems).Read(Path.GetFileNameWithoutExtension(path));
        problems.ThrowIfAny();
        return study ?? throw new InvalidOperationException("An incomplete study has problems.");
    }

    private LockingStudy? Read(string fallbackName)
    {
        string name = _root.Text("name", "a name for the study") ?? fallbackName;
        if (name.Any(c => !char.IsLetterOrDigit(c) && c is not ('-' or '_' or '.' or ' ')))
        {
            _root.Problem("name", $"'{name}' cannot name a folder; expected letters, digits, spaces, '-', '_' and '.'");
        }

        (ConfigMap Nodes, string Folder)? experiment = ReadExperiment();
        (IReadOnlyList<int?> depths, ConfigMap? hidden) = ReadDepths();
        IReadOnlyList<StudyMethod> methods = ReadMethods();
        IReadOnlyList<StudyCondition> conditions = ReadConditions();
        IReadOnlyList<ulong?> seeds = ReadSeeds();
        bool timingOnly = _root.Flag("timing-only", false);
        TimeSpan? at = _root.Duration("at");

        // A single method or seed is rather a slip of the study's own plural.
        _root.Finish(key => ExperimentReader.Sections.Contains(key) && key is not ("method" or "seed")
            ? $"this key belongs to the experiment; expected it below experiment, as in experiment: {{ {key}: … }}"
            : null);
        return experiment is not (ConfigMap nodes, string folder) ? null : new LockingStudy
        {
            Name = name,
            Experiment = nodes,
            BaseFolder = folder,
            Methods = methods,
            Depths = depths,
            Hidden = hidden,
            Conditions = conditions,
            Seeds = seeds,
            TimingOnly = timingOnly,
            At = at,
        };
    }

    private (ConfigMap Nodes, string Folder)? ReadExperiment()
    {
        const string expected = "an experiment: its keys, a file's path, or the name of a preset";
        switch (_root.Required("experiment", expected))
        {
            case ConfigMap inline:
                return (inline, _folder);
            case ConfigScalar { Text: string given }:
                return Load(given);
            case ConfigNode other:
                _root.Problem("experiment", $"{other.Description} is no experiment; expected {expected}");
                return null;
            default:
                return null;
        }
    }

    private (ConfigMap Nodes, string Folder)? Load(string given)
    {
        string path = Path.GetFullPath(given, _folder);
        if (File.Exists(path))
        {
            return ConfigText.Document(File.ReadAllText(path), given, _problems) is ConfigMap map ? (map, Path.GetDirectoryName(path)!) : null;
        }

        if (PresetCatalog.Find(given) is Preset preset)
        {
            return ConfigText.Document(preset.Text, $"preset {preset.Name}", _problems) is ConfigMap map ? (map, _folder) : null;
        }

        _root.Problem(
            "experiment", $"there is no file {given} (looked for {path}), and no preset of that name; expected a file or one of "
            + $"{MapReader.OneOf(PresetCatalog.Names)}{Nearest.Hint(given, PresetCatalog.Names)}");
        return null;
    }

    private (IReadOnlyList<int?> Depths, ConfigMap? Hidden) ReadDepths()
    {
        ConfigMap? hidden = _root.Node("hidden") as ConfigMap;
        if (_root.Node("depths") is not ConfigNode node)
        {
            if (_root.Has("hidden"))
            {
                _root.Problem("hidden", "hidden layers are for depths, which are not given; expected depths: [1, 2, 4] as well");
            }

            return ([null], null);
        }

        if (hidden is null)
        {
            _root.Problem("hidden", "depths need the settings of a hidden layer; expected hidden: { units: 64, activation: tanh }");
        }

        List<int?> depths = [];
        foreach (ConfigNode item in Items(_root, "depths", node, "numbers of hidden layers, as in [1, 2, 4]"))
        {
            if (item is not ConfigScalar { Plain: true } scalar
                || !int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int depth) || depth > DepthMax)
            {
                _problems.Add(item.Mark, "depths", $"{item.Description} is no number of hidden layers; expected {NumberRange.Whole(0, DepthMax)}");
            }
            else if (depths.Contains(depth))
            {
                _problems.Add(item.Mark, "depths", $"{item.Description} is here already; expected different numbers of hidden layers, as in [1, 2, 4]");
            }
            else
            {
                depths.Add(depth);
            }
        }

        return (depths, hidden);
    }

    private List<StudyMethod> ReadMethods()
    {
        const string expected = "a list of methods, such as [backprop, local-loss]";
        List<StudyMethod> methods = [];
        if (_root.Required("methods", expected) is not ConfigNode node)
        {
            return methods;
        }

        if (node is not ConfigList { Items.Count: > 0 } list)
        {
            _root.Problem("methods", $"{(node is ConfigList ? "an empty list" : node.Description)} is no list of methods; expected {expected}");
            return methods;
        }

        for (int index = 0; index < list.Items.Count; index++)
        {
            StudyMethod? method = ReadMethod(list.Items[index], KeyPath.Item("methods", index));
            if (method is not null && methods.Exists(other => other.Label == method.Label))
            {
                _problems.Add(
                    list.Items[index].Mark, KeyPath.Item("methods", index), $"'{method.Label}' is here already; expected a label of its own, as in {{ name: …, label: … }}");
            }

            methods.AddRange(method is null ? [] : [method]);
        }

        return methods;
    }

    private StudyMethod? ReadMethod(ConfigNode node, string path)
    {
        if (node is ConfigScalar scalar)
        {
            return new StudyMethod(scalar.Text, new ConfigEntry("method", scalar.Mark, scalar), null);
        }

        if (node is not ConfigMap map)
        {
            _problems.Add(node.Mark, path, $"{node.Description} is no method; expected a name, or {{ name: …, schedule: …, optimizer: …, label: … }}");
            return null;
        }

        MapReader reader = new(map, path, _problems);
        string? name = reader.Required("name", "a method's name") is null ? null : reader.Text("name", "a method's name");
        string? schedule = map.TryFind("schedule", out ConfigEntry? entry) && entry.Value is ConfigScalar { Text: string text } ? text : null;
        string label = reader.Text("label", "a name for results") ?? (schedule is null ? name ?? "" : $"{name} {schedule}");
        ConfigMap method = new(map.Mark);
        foreach (ConfigEntry other in map.Entries.Where(other => !OwnMethodKeys.Contains(other.Key)))
        {
            method.Set(other);
            if (Nearest.To(other.Key, OwnMethodKeys) is not null)
            {
                // The method's own settings are none of these; the nearest of those is named later.
                reader.Problem(other.Key, $"there is no such key{Nearest.Hint(other.Key, OwnMethodKeys)}");
                return null;
            }
        }

        return new StudyMethod(
            label, new ConfigEntry("method", map.Mark, method), map.TryFind("optimizer", out ConfigEntry? optimizer) ? optimizer : null);
    }

    private List<StudyCondition> ReadConditions()
    {
        const string expected = "a list such as [{ name: rack }, { name: slow links, latency: 1ms }]";
        if (_root.Node("conditions") is not ConfigNode node)
        {
            return [new StudyCondition("", [], [])];
        }

        List<StudyCondition> conditions = [];
        if (node is not ConfigList { Items.Count: > 0 } list)
        {
            _root.Problem("conditions", $"{(node is ConfigList ? "an empty list" : node.Description)} is no list of conditions; expected {expected}");
            return conditions;
        }

        for (int index = 0; index < list.Items.Count; index++)
        {
            string path = KeyPath.Item("conditions", index);
            if (list.Items[index] is not ConfigMap map)
            {
                _problems.Add(list.Items[index].Mark, path, $"{list.Items[index].Description} is no condition; expected {expected}");
                continue;
            }

            MapReader reader = new(map, path, _problems);
            reader.Required("name", "a name for results");
            string name = reader.Text("name", "a name for results") ?? "";
            if (conditions.Exists(other => other.Name == name))
            {
                reader.Problem("name", $"'{name}' is here already; expected a name of its own");
            }

            ConfigEntry[] simulation = [.. map.Entries.Where(entry => entry.Key is not ("name" or "slow"))];
            conditions.Add(new StudyCondition(name, simulation, ReadStragglers(reader)));
        }

        return conditions;
    }

    private List<Straggler> ReadStragglers(MapReader condition)
    {
        List<Straggler> stragglers = [];
        ConfigNode? node = condition.Node("slow");
        foreach (ConfigNode item in node is null ? [] : Items(condition, "slow", node, "a straggler such as { layer: 2, factor: 10 }, or no 'slow'"))
        {
            if (item is not ConfigMap map)
            {
                condition.Problem("slow", $"{item.Description} is no straggler; expected {{ layer: 2, factor: 10 }}, with after: and for: if you like");
                continue;
            }

            MapReader reader = new(map, condition.At("slow"), _problems);
            stragglers.Add(new Straggler(
                reader.RequiredWhole("layer", 0),
                Math.Max(double.Epsilon, reader.RequiredNumber("factor", NumberRange.SlowFactor)),
                reader.DurationOrZero("after") ?? TimeSpan.Zero,
                reader.Duration("for")));
            reader.Finish();
        }

        return stragglers;
    }

    /// <summary>The items of a list, or what stands alone in its place; a list of nothing, which would leave nothing to run, is a problem.</summary>
    private static List<ConfigNode> Items(MapReader reader, string key, ConfigNode node, string expected)
    {
        List<ConfigNode> items = (node as ConfigList)?.Items ?? [node];
        if (items.Count == 0)
        {
            reader.Problem(key, $"the list is empty; expected {expected}");
        }

        return items;
    }

    private List<ulong?> ReadSeeds()
    {
        if (_root.Node("seeds") is not ConfigNode node)
        {
            return [null];
        }

        List<ulong?> seeds = [];
        foreach (ConfigNode item in Items(_root, "seeds", node, "whole numbers, as in [1, 2, 3]"))
        {
            if (item is ConfigScalar { Plain: true } scalar && seeds.Count < SeedsMax
                && ulong.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed) && !seeds.Contains(seed))
            {
                seeds.Add(seed);
            }
            else
            {
                _problems.Add(item.Mark, "seeds", $"{item.Description} is no seed, or not a new one; expected up to {SeedsMax} different whole numbers, as in [1, 2, 3]");
            }
        }

        return seeds;
    }
}
