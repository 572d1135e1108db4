using System.Text.RegularExpressions;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Studies;
using DistTrain.Numerics;
using DistTrain.Protocol.Methods;

namespace DistTrain.Commands.Tests;

/// <summary>The keys that the readers of experiments know, as they say themselves when they meet another one.</summary>
internal static partial class ReaderKeys
{
    /// <summary>The shortest experiment.</summary>
    public const string Shortest =
        """
        data: { source: xor }
        network: [{ dense: { units: 2, activation: softmax } }]
        optimizer: adam
        training: { epochs: 1, batch-size: 1 }
        """;

    // Like no key, so that no reader guesses which one is meant.
    private const string Unknown = "zzzzzzzz";

    /// <summary>All keys of a section of the reference, from all its forms.</summary>
    public static IEnumerable<string> Of(string section) => section switch
    {
        "Top level" => Below(""),
        "data" =>
        [
            .. Names.Sources.SelectMany(source => Below("data", "", $"data={{ source: {source} }}")),
            .. Below("data.train", "train.", "data={ source: idx }"),
            .. Below("data.test", "test.", "data={ source: idx }"),
            .. Below("data.split", "split.", "data={ source: csv }"),
        ],
        "network" => Names.Layers.SelectMany(kind => Below($"network.0.{kind}", $"{kind}.", $"network=[{{ {kind}: {{ }} }}]")),
        "method" => MethodCatalog.Names.SelectMany(name => Below("method", "", $"method.name={name}")),
        "training" => [.. Below("training"), .. Below("training.early-stopping", "early-stopping.")],
        "simulation" => [.. Below("simulation"), .. Below("simulation.costs", "costs.")],
        "durability and checkpoint" => Below("checkpoint"),
        "faults" => Faults().SelectMany(kind => Below("faults.0", "", $"faults=[{{ {kind}: x }}]")),
        "Study files" => Study(),
        _ => Below(section),
    };

    /// <summary>An experiment, changed; files that it names need not be there.</summary>
    public static LoadedExperiment Load(params string[] changes) =>
        ExperimentLoader.Parse(new ExperimentSource(Shortest, "test", "/", "test", FilesAreElsewhere: true), new Overrides(changes), engines: null);

    private static IEnumerable<string> Below(string path, string prefix = "", params string[] changes) =>
        Expected(() => Load([.. changes, $"{KeyPath.Join(path, Unknown)}=1"]), "there is no such key; expected ").Select(key => prefix + key);

    private static string[] Faults() => Expected(() => Load("faults=[{ }]"), "expected exactly one of ");

    private static IEnumerable<string> Study()
    {
        using Bench bench = new();
        string[] KeysOf(string text) => Expected(() => LockingStudyReader.Read(bench.Write("study.yaml", text), bench.Folder), "there is no such key; expected ");

        // A method and a condition take keys of the experiment besides their own, so their readers end without a list.
        string[] own = ["methods.label", "methods.optimizer", "conditions.name", "conditions.slow"];
        return
        [
            .. KeysOf($"experiment: xor\nmethods: [backprop]\n{Unknown}: 1\n"),
            .. own,
            .. KeysOf($"experiment: xor\nmethods: [backprop]\nconditions: [{{ name: a, slow: {{ {Unknown}: 1 }} }}]\n").Select(key => $"conditions.slow.{key}"),
        ];
    }

    private static string[] Expected(Action read, string before)
    {
        string message = Should.Throw<InvalidInputException>(read).Message;
        Match match = Regex.Match(message, $"{Regex.Escape(before)}([^;\n]*)");
        match.Success.ShouldBeTrue(message);
        return Separator().Split(match.Groups[1].Value);
    }

    [GeneratedRegex(", | or ")]
    private static partial Regex Separator();
}
