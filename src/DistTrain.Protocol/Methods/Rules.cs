using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>What methods with rules of their own for each stage have in common.</summary>
internal static class Rules
{
    /// <summary>The rule of a stage, its numbers at their defaults.</summary>
    public static LocalRuleSpec Of(RunSettings settings, int stage, LocalRuleKind kind) => new()
    {
        Kind = kind,
        Network = settings.Network,
        Loss = settings.Loss,
        Stage = stage,
        FirstLayer = settings.Stages.Take(stage).Sum(),
        LayerCount = settings.Stages[stage],
    };

    /// <summary>Steps that keep every stage of a pipeline busy.</summary>
    public static int StepsInPipeline(RunSettings settings) => Math.Max(settings.StepsInFlight, settings.Stages.Count + 1);

    /// <summary>What a stage carries is kept beside its parameters.</summary>
    public static SettingsProblem? RefusesBareStages(RunSettings settings, string name)
    {
        int first = 0;
        for (int stage = 0; stage < settings.Stages.Count; stage++)
        {
            if (settings.Network.Layers.Skip(first).Take(settings.Stages[stage]).All(layer => layer is DropoutSpec))
            {
                return new SettingsProblem(
                    "stages", $"stage {stage} has no parameters, beside which {name} could keep what it carries; expected its layers in the stage before");
            }

            first += settings.Stages[stage];
        }

        return null;
    }
}

/// <summary>Ranges of methods' numbers.</summary>
internal static class MethodNumbers
{
    public static SettingsProblem? Positive(string key, double? value) =>
        value is double number && !(number > 0 && double.IsFinite(number))
            ? new SettingsProblem(key, $"{number:R}; expected a number above 0")
            : null;

    public static SettingsProblem? NotNegative(string key, double? value) =>
        value is double number && !(number >= 0 && double.IsFinite(number))
            ? new SettingsProblem(key, $"{number:R}; expected 0 or a number above")
            : null;

    public static SettingsProblem? Share(string key, double? value) =>
        value is double number && !(number is >= 0 and <= 1) ? new SettingsProblem(key, $"{number:R}; expected 0 to 1") : null;

    public static SettingsProblem? Units(string key, IReadOnlyList<int> units) =>
        units.Any(count => count < 1) ? new SettingsProblem(key, "expected numbers of units, each at least 1") : null;
}
