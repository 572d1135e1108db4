using System.Globalization;
using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>The group <c>method</c>: a name, a schedule, and settings that belong to some methods alone.</summary>
internal static class MethodSection
{
    private const int DelayStepsMax = 16;

    private static readonly NameTable<FeedbackKind> Feedback = new(
        ("random", FeedbackKind.Random),
        ("transposed", FeedbackKind.Transposed));

    private static readonly NameTable<LocalRuleKind> LocalLoss = new(
        ("pred", LocalRuleKind.Prediction),
        ("sim", LocalRuleKind.Similarity),
        ("predsim", LocalRuleKind.PredictionAndSimilarity));

    private static readonly MethodKey[] Keys =
    [
        new("form", ["front-contribution"],
            (reader, settings) => settings with { Form = reader.Choice("form", Names.Form) ?? settings.Form },
            settings => Names.Form.NameOf(settings.Form)),
        new("collapse", ["front-contribution"],
            (reader, settings) => settings with { Collapse = reader.Choice("collapse", Names.Collapse) ?? settings.Collapse },
            settings => Names.Collapse.NameOf(settings.Collapse)),
        new("shares", ["front-contribution"],
            (reader, settings) => settings with { Shares = reader.Whole("shares", 1, Limits.ShardsMax) ?? settings.Shares },
            settings => settings.Shares),
        new("delay", ["delayed-gradient", "features-replay", "synthetic-gradient"],
            (reader, settings) => settings with { DelaySteps = reader.Whole("delay", 0, DelayStepsMax) },
            settings => settings.DelaySteps),
        new("feedback", ["feedback-alignment"],
            (reader, settings) => settings with { Feedback = reader.Choice("feedback", Feedback) ?? settings.Feedback },
            settings => Feedback.NameOf(settings.Feedback)),
        new("loss", ["local-loss"],
            (reader, settings) => settings with { LocalLoss = reader.Choice("loss", LocalLoss) ?? settings.LocalLoss },
            settings => LocalLoss.NameOf(settings.LocalLoss)),
        new("beta", ["local-loss", "hsic-bottleneck"],
            (reader, settings) => settings with { Beta = reader.Number("beta", NumberRange.NotNegative) },
            settings => settings.Beta),
        new("sigma", ["hsic-bottleneck"],
            (reader, settings) => settings with { Sigma = reader.Number("sigma", NumberRange.Positive) },
            settings => settings.Sigma),
        new("epsilon", ["hsic-bottleneck"],
            (reader, settings) => settings with { Epsilon = reader.Number("epsilon", NumberRange.Positive) },
            settings => settings.Epsilon),
        new("conditioned", ["synthetic-gradient"],
            (reader, settings) => settings with { Conditioned = reader.Flag("conditioned", settings.Conditioned) },
            settings => settings.Conditioned),
        new("hidden", ["synthetic-gradient"],
            (reader, settings) => settings with { Hidden = Units(reader) ?? settings.Hidden },
            settings => settings.Hidden),
        new("fit-rate", ["synthetic-gradient"],
            (reader, settings) => settings with { FitRate = reader.Number("fit-rate", NumberRange.Positive) },
            settings => settings.FitRate),
        new("step-size", ["target-propagation"],
            (reader, settings) => settings with { StepSize = reader.Number("step-size", NumberRange.Positive) },
            settings => settings.StepSize),
        new("noise", ["target-propagation"],
            (reader, settings) => settings with { Noise = reader.Number("noise", NumberRange.NotNegative) },
            settings => settings.Noise),
    ];

    public static MethodSettings Read(MapReader root)
    {
        MethodSettings settings = new();
        if (root.Node("method") is ConfigScalar)
        {
            return settings with { Name = root.Word("method", MethodCatalog.Names) ?? settings.Name };
        }

        if (root.Group("method", "{ name: …, schedule: … }") is not MapReader reader)
        {
            return settings;
        }

        settings = new MethodSettings(
            reader.Word("name", MethodCatalog.Names) ?? settings.Name,
            reader.Word("schedule", ScheduleNames) ?? settings.Schedule);
        foreach (MethodKey key in Keys)
        {
            settings = key.Methods.Contains(settings.Name) ? key.Read(reader, settings) : settings;
        }

        reader.Finish(name => Array.Find(Keys, key => key.Name == name) is MethodKey known
            ? $"only {string.Join(" and ", known.Methods)} {(known.Methods.Length == 1 ? "has" : "have")} this setting; expected name: {string.Join(" or ", known.Methods)}, or no {name}"
            : null);
        return settings;
    }

    public static void Write(YamlText yaml, MethodSettings settings)
    {
        yaml.Key("name", settings.Name);
        if (MethodCatalog.Find(settings.Name) is { HasSchedule: true })
        {
            yaml.Key("schedule", settings.Schedule);
        }

        foreach (MethodKey key in Keys.Where(key => key.Methods.Contains(settings.Name)))
        {
            switch (key.Value(settings))
            {
                // The method's own default.
                case null:
                    break;
                case IReadOnlyList<int> list:
                    yaml.List(key.Name, list.Cast<object>());
                    break;
                case object value:
                    yaml.Key(key.Name, value);
                    break;
            }
        }
    }

    private static IReadOnlyList<string> ScheduleNames => Protocol.Schedules.ScheduleCatalog.Names;

    private static List<int>? Units(MapReader reader)
    {
        if (reader.Node("hidden") is not ConfigNode node)
        {
            return null;
        }

        List<int> units = [];
        foreach (ConfigNode item in node is ConfigList list ? list.Items : [node])
        {
            if (item is not ConfigScalar { Plain: true } scalar
                || !int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1)
            {
                reader.Problems.Add(
                    item.Mark, reader.At("hidden"), $"{item.Description} is no number of units; expected a list of whole numbers of at least 1, such as [256]");
                return null;
            }

            units.Add(count);
        }

        return units;
    }

    /// <summary>A setting of some methods.</summary>
    private sealed record MethodKey(
        string Name, string[] Methods, Func<MapReader, MethodSettings, MethodSettings> Read, Func<MethodSettings, object?> Value);
}
