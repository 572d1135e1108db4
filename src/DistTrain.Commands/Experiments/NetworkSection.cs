using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>Reads the <c>network</c> list: one <c>kind: { settings }</c> per layer.</summary>
internal static class NetworkSection
{
    // Wide enough for any data set that fits memory, small enough that a slip of the keyboard cannot ask for terabytes.
    private const int UnitsMax = 10_000_000;

    /// <summary>The layers; empty when something is so wrong that none could be read.</summary>
    public static IReadOnlyList<LayerSpec> Read(MapReader root)
    {
        const string expected = "a list of layers such as `- dense: { units: 10, activation: softmax }`";
        switch (root.Required("network", expected))
        {
            case null:
                return [];
            case ConfigList { Items.Count: > Limits.LayersMax } list:
                root.Problem("network", $"{list.Items.Count} layers are too many; expected at most {Limits.LayersMax}");
                return [];
            case ConfigList { Items.Count: > 0 } list:
                return [.. list.Items.Select((item, index) => ReadLayer(root, item, index))];
            case ConfigNode other:
                string reason = other is ConfigList ? "the list is empty" : $"{other.Description} is not a list";
                root.Problem("network", $"{reason}; expected {expected}");
                return [];
        }
    }

    private static LayerSpec ReadLayer(MapReader root, ConfigNode item, int index)
    {
        string path = KeyPath.Item("network", index);
        if (item is ConfigMap kinds
            && kinds.Entries.FirstOrDefault(candidate => !Names.Layers.Contains(candidate.Key)) is ConfigEntry unknown)
        {
            string expected = MapReader.OneOf([.. Nearest.Ranked(unknown.Key, Names.Layers)]);
            root.Problems.Add(
                unknown.Mark, path, $"'{unknown.Key}' is no kind of layer; "
                    + $"expected {expected}{Nearest.Hint(unknown.Key, Names.Layers)}");
            return new DropoutSpec(0);
        }

        if (item is not ConfigMap { Entries: [ConfigEntry entry] })
        {
            root.Problems.Add(
                item.Mark, path, $"a layer is one kind with its settings; expected {MapReader.OneOf(Names.Layers)}, "
                    + "as in `- dense: { units: 10, activation: softmax }`");
            return new DropoutSpec(0);
        }

        if (entry.Value is not ConfigMap settings)
        {
            root.Problems.Add(
                entry.Mark, KeyPath.Join(path, entry.Key), $"{entry.Value.Description} is not a group of keys; "
                    + $"expected {Example(entry.Key)}");
            return new DropoutSpec(0);
        }

        MapReader reader = new(settings, KeyPath.Join(path, entry.Key), root.Problems);
        LayerSpec layer = entry.Key switch
        {
            "dense" => ReadDense(reader, index),
            "maxout" => new MaxoutSpec(
                Units(reader), reader.RequiredWhole("pieces", 1, 1000), reader.Flag("bias", true), ReadInitializer(reader)),
            "k-competitive" => ReadKCompetitive(reader),
            _ => new DropoutSpec(reader.RequiredNumber("rate", NumberRange.BelowOne)),
        };
        reader.Finish();
        return layer;
    }

    private static string Example(string kind) => kind switch
    {
        "dense" => "{ units: 10, activation: relu }",
        "maxout" => "{ units: 10, pieces: 2 }",
        "k-competitive" => "{ units: 128, k: 32, alpha: 6.26 }",
        _ => "{ rate: 0.5 }",
    };

    private static int Units(MapReader reader) => reader.RequiredWhole("units", 1, UnitsMax);

    private static DenseSpec ReadDense(MapReader reader, int index)
    {
        int units = Units(reader);
        ActivationKind activation = reader.Choice("activation", Names.Activation) ?? ActivationKind.Linear;
        double? slope = reader.Number("slope", NumberRange.Any);
        if (slope is not null && activation is not (ActivationKind.LeakyRelu or ActivationKind.Prelu))
        {
            reader.Problem(
                "slope", $"activation {Names.Activation.NameOf(activation)} has no slope; expected leaky-relu or prelu, "
                + "or no slope");
        }

        int? tied = reader.Whole("tied", 0);
        if (tied >= index)
        {
            reader.Problem("tied", index == 0
                ? "the first layer has no earlier one to be tied to; leave the key out"
                : $"{tied} is not an earlier layer; expected {NumberRange.Whole(0, index - 1)}");
            tied = null;
        }

        InitializerSpec? initializer = ReadInitializer(reader);
        if (tied is not null && initializer is not null)
        {
            reader.Problem("init", "a tied layer has no weights of its own to start; leave init out");
        }

        return new DenseSpec(units, activation, reader.Flag("bias", true), slope, tied, initializer);
    }

    private static KCompetitiveSpec ReadKCompetitive(MapReader reader)
    {
        int units = Units(reader);
        int k = reader.RequiredWhole("k", 1);
        if (k > units && reader.Has("units"))
        {
            reader.Problem("k", $"{k} winners are more than the {units} units; expected {NumberRange.Whole(1, units)}");
        }

        double alpha =
            reader.Required(
                "alpha", NumberRange.NotNegative.Text) is null ? 0 : reader.Number("alpha", NumberRange.NotNegative) ?? 0;
        return new KCompetitiveSpec(units, k, alpha, reader.Flag("bias", true), ReadInitializer(reader));
    }

    private static InitializerSpec? ReadInitializer(MapReader reader)
    {
        const string expected = "glorot, he, lecun or uniform(a, b)";
        if (reader.Text("init", expected) is not string text)
        {
            return null;
        }

        if (TryParseUniform(text, out InitializerSpec? uniform))
        {
            if (uniform.Low <= uniform.High)
            {
                return uniform;
            }

            reader.Problem("init", $"'{text}' is an empty range; expected uniform(a, b) with a at most b");
            return null;
        }

        if (text != "uniform" && Names.Initializer.ValueOf(text) is InitializerKind kind)
        {
            return new InitializerSpec(kind);
        }

        reader.Problem("init", $"'{text}' is no initializer; expected {expected}{Nearest.Hint(text, Names.Initializer.Names)}");
        return null;
    }

    private static bool TryParseUniform(string text, [NotNullWhen(true)] out InitializerSpec? uniform)
    {
        uniform = null;
        if (!text.StartsWith("uniform(", StringComparison.Ordinal) || !text.EndsWith(')'))
        {
            return false;
        }

        string[] bounds = text["uniform(".Length..^1].Split(',');
        if (bounds.Length != 2 || !TryParse(bounds[0], out double low) || !TryParse(bounds[1], out double high))
        {
            return false;
        }

        uniform = new InitializerSpec(InitializerKind.Uniform, low, high);
        return true;
    }

    private static bool TryParse(string text, out double value) =>
        double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}
