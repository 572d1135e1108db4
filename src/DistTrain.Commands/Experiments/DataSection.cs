using DistTrain.Data;

namespace DistTrain.Commands.Experiments;

/// <summary>Reads the <c>data</c> group. Files are checked for existence here, where the line that names them is known.</summary>
/// <param name="baseFolder">Where relative paths start from.</param>
/// <param name="filesAreElsewhere">Whether files need not be here.</param>
internal sealed class DataSection(string baseFolder, bool filesAreElsewhere)
{
    private static readonly string[] CommonKeys =
        ["source", "scale", "asinh", "log-max", "standardize", "test-fraction", "targets"];
    private static readonly (string Source, string[] Keys)[] OwnKeys =
    [
        ("idx", ["train", "test", "classes", "ship"]),
        ("csv", ["train", "test", "header", "skip-lines", "label", "split", "classes", "ship"]),
        ("libsvm", ["train", "test", "features", "ship"]),
        ("xor", []),
        ("spirals", ["train-rows", "test-rows", "classes", "noise", "seed"]),
        ("blobs", ["train-rows", "test-rows", "classes", "inputs", "noise", "seed"]),
        ("glyphs", ["train-rows", "test-rows", "noise", "seed"]),
    ];

    /// <summary>Reads the group; null when it is missing or its source is not known.</summary>
    public DataSpec? Read(MapReader root)
    {
        if (root.Required("data", "a group with source and its settings, for example { source: glyphs }") is null
            || root.Group("data", "source and its settings") is not MapReader reader)
        {
            return null;
        }

        if (reader.Required("source", MapReader.OneOf(Names.Sources)) is null
            || reader.Word("source", Names.Sources) is not string source)
        {
            return null;
        }

        DataSpec spec = source switch
        {
            "idx" => ReadIdx(reader),
            "csv" => ReadCsv(reader),
            "libsvm" => ReadLibSvm(reader),
            _ => ReadGenerated(reader, source),
        };
        bool targetsAreInputs = ReadTargets(reader, source, ref spec);
        spec = spec with
        {
            Scaling = new Scaling(
                reader.Number("scale", NumberRange.Positive),
                reader.Number("asinh", NumberRange.Positive),
                reader.Flag("log-max", false),
                reader.Choice("standardize", Names.Standardize) ?? Standardization.None),
            TestFraction = reader.Number("test-fraction", NumberRange.Fraction),
            TargetsAreInputs = targetsAreInputs,
            Ship = source is "idx" or "csv" or "libsvm" && reader.Flag("ship", false),
        };
        reader.Finish(key => BelongsElsewhere(key, source));
        return spec;
    }

    private static string? BelongsElsewhere(string key, string source)
    {
        string[] owners = [.. OwnKeys.Where(row => row.Source != source && row.Keys.Contains(key)).Select(row => row.Source)];
        if (owners.Length == 0)
        {
            return null;
        }

        string[] keys = [.. OwnKeys.First(row => row.Source == source).Keys, .. CommonKeys];
        return $"source {source} has no such setting ({MapReader.OneOf(owners)} has); expected {MapReader.OneOf(keys)}";
    }

    private static bool ReadTargets(MapReader reader, string source, ref DataSpec spec)
    {
        switch (reader.Node("targets"))
        {
            case null:
                if (spec is CsvSpec { Label: null })
                {
                    reader.Problem(
                        "label", "this key is missing; expected a column's name or 0-based index, or `targets:` instead");
                }

                return false;
            case ConfigScalar { Text: "inputs" }:
                return true;
            case ConfigList { Items.Count: > 0 } list when spec is CsvSpec { Label: null } csv
                && list.Items.TrueForAll(item => item is ConfigScalar):
                spec = csv with { TargetColumns = [.. list.Items.Cast<ConfigScalar>().Select(item => item.Text)] };
                return false;
            case ConfigList when spec is CsvSpec { Label: not null }:
                reader.Problem("targets", "`label` is given too; expected one of the two");
                return false;
            case ConfigNode other:
                string columns = source == "csv" ? ", or a list of columns such as [3, 4]" : "";
                reader.Problem("targets", $"{other.Description} does not name targets; expected inputs{columns}");
                return false;
        }
    }

    private IdxSpec ReadIdx(MapReader reader)
    {
        const string expected = "{ images: FILE, labels: FILE }";
        reader.Required("train", expected);
        IdxFiles? train = ReadIdxFiles(reader, "train", expected);
        return new IdxSpec(
            train ?? new IdxFiles("", null), ReadIdxFiles(reader, "test", expected)) { Classes = reader.Whole("classes", 1) };
    }

    private IdxFiles? ReadIdxFiles(MapReader reader, string key, string expected)
    {
        if (reader.Group(key, expected) is not MapReader files)
        {
            return null;
        }

        bool labelsNeeded = !(reader.Node("targets") is ConfigScalar { Text: "inputs" });
        IdxFiles result = new(ReadFile(files, "images") ?? "", ReadFile(files, "labels", optional: !labelsNeeded));
        files.Finish();
        return result;
    }

    private CsvSpec ReadCsv(MapReader reader)
    {
        CsvSplit? split = null;
        if (reader.Group("split", "{ column: NAME, test: TEXT }") is MapReader group)
        {
            string column = RequiredText(group, "column", "a column's name or 0-based index");
            split = new CsvSplit(column, RequiredText(group, "test", "the text that marks a test row"));
            group.Finish();
        }

        if (split is not null && reader.Has("test"))
        {
            reader.Problem("split", "`test` names a file of test rows already; expected one of the two");
        }

        return new CsvSpec(ReadFile(reader, "train") ?? "", ReadFile(reader, "test", optional: true))
        {
            Header = reader.Flag("header", true),
            SkipLines = reader.Whole("skip-lines", 0) ?? 0,
            Label = reader.Text("label", "a column's name or 0-based index"),
            Split = split,
            Classes = reader.Whole("classes", 1),
        };
    }

    private LibSvmSpec ReadLibSvm(MapReader reader)
    {
        string train = ReadFile(reader, "train") ?? "";
        return new LibSvmSpec(train, ReadFile(reader, "test", optional: true)) { Features = reader.Whole("features", 1) };
    }

    private static GeneratedSpec ReadGenerated(MapReader reader, string source)
    {
        string[] own = OwnKeys.First(row => row.Source == source).Keys;
        GeneratedSpec spec = new(Names.Generated.ValueOf(source)!.Value);
        return spec with
        {
            TrainRows = own.Contains("train-rows") ? reader.Whole("train-rows", 1) : null,
            TestRows = own.Contains("test-rows") ? reader.Whole("test-rows", 0) : null,
            Classes = own.Contains("classes") ? reader.Whole("classes", 2) : null,
            Inputs = own.Contains("inputs") ? reader.Whole("inputs", 2) : null,
            Noise = own.Contains("noise") ? reader.Number("noise", NumberRange.NotNegative) : null,
            DataSeed = own.Contains("seed") ? reader.Seed("seed", spec.DataSeed) : spec.DataSeed,
        };
    }

    private static string RequiredText(MapReader reader, string key, string expected) =>
        reader.Required(key, expected) is null ? "" : reader.Text(key, expected) ?? "";

    private string? ReadFile(MapReader reader, string key, bool optional = false)
    {
        const string expected = "the path of a file";
        if (!optional && reader.Required(key, expected) is null || reader.Text(key, expected) is not string given)
        {
            return null;
        }

        string full = System.IO.Path.GetFullPath(given, baseFolder);
        if (!File.Exists(full) && !filesAreElsewhere)
        {
            string reason = Directory.Exists(full) ? "is a folder" : "does not exist";
            reader.Problem(
                key, $"the file {given} {reason} (looked for {full}); expected {expected}, relative to the experiment file");
        }

        return full;
    }
}
