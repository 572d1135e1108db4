using System.CommandLine;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Studies.Faults;
using DistTrain.Commands.Verbs;
using DistTrain.Engines;
using DistTrain.Numerics;

namespace DistTrain.Commands.Studies;

/// <summary>The verb <c>study</c>: many runs of one experiment, compared.</summary>
internal static class StudyVerbs
{
    /// <summary>The verb with its subcommands.</summary>
    public static Command Create(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        Verb[] studies = [Locking(engines, host), FaultStudyVerb.Create(engines, host)];
        string[] names = [.. studies.Select(study => study.Name)];
        Argument<string?> unknown = new("name") { Arity = ArgumentArity.ZeroOrOne, Hidden = true };
        Verb command = new(
            "study",
            "Runs one experiment in several ways, and compares them.",
            ["disttrain study locking examples/locking.yaml", "disttrain study faults examples/faults/layer-crash.yaml"]) { unknown };
        Array.ForEach(studies, command.Add);
        command.SetAction(int (result) => throw new InvalidInputException(result.GetValue(unknown) is string name
            ? $"disttrain study: there is no study '{name}'; expected {MapReader.OneOf(names)}{Nearest.Hint(name, names)}"
            : $"disttrain study: which one? Expected {MapReader.OneOf(names)}"));
        return command;
    }

    private static Verb Locking(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        Argument<string> file = new("study") { Description = "Study file (YAML)." };
        Option<string?> folder = new("--out") { HelpName = "folder", Description = "Result folder; must not exist yet or be empty. Default: runs/NAME-DATE-TIME." };
        Option<bool> json = new("--json") { Description = "Prints study.json on standard output and nothing else." };
        Verb command = new(
            "locking",
            """
            Compares methods by what their layers wait for: runs methods x depths x conditions x seeds with real arithmetic and virtual time, from the same
            seeds and data order. Reports loss and accuracy at equal steps and at equal virtual time, where every layer's time goes (work, forward, update and
            backward lock, parameters, released), staleness, memory and messages, as tables, CSV, JSON and, where pages are built in, report.html. A method that cannot serve a
            combination is listed with its reason.

            A study file:
              name: locking
              experiment: fashion.yaml           # or its keys, or a preset: glyphs
              methods:                           # names, or settings with optimizer and label
                - backprop
                - { name: backprop, schedule: sequential }
                - { name: local-loss, optimizer: { name: adam, learning-rate: 0.001 } }
              depths: [1, 4]                     # hidden layers; left out, the experiment's network
              hidden: { units: 64, activation: tanh }
              conditions:                        # changes to simulation:; left out, the experiment's
                - { name: rack }
                - { name: slow links, latency: 1ms, bandwidth-bytes-per-second: 1.25e8 }
                - { name: straggler, slow: { layer: 1, factor: 4 } }
              seeds: [1, 2]                      # left out, the experiment's
              timing-only: false                 # time and messages without arithmetic
              at: 2s                             # virtual time to compare at; left out, the shortest training
            """,
            [
                "disttrain study locking examples/locking.yaml",
                "disttrain study locking my-study.yaml --out results --json",
            ],
            makesFiles: true) { file, folder, json };
        command.SetAction(result => new LockingCommand(host, engines).Execute(
            new LockingOptions(result.GetRequiredValue(file), result.GetValue(folder), result.GetValue(json))));
        return command;
    }
}
