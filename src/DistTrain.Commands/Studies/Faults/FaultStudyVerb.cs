using System.CommandLine;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Verbs;
using DistTrain.Engines;

namespace DistTrain.Commands.Studies.Faults;

/// <summary>The subcommand <c>study faults</c>.</summary>
internal static class FaultStudyVerb
{
    /// <summary>The verb.</summary>
    public static Verb Create(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        Argument<string> file = new("experiment") { Description = "Experiment file with a section faults:." };
        Option<string?> engine = new("--engine") { HelpName = "name", Description = "What runs the actors, in place of the file's." };
        Option<string[]> set = new("--set")
        {
            HelpName = "key=value", Description = "Changes a setting, for example training.epochs=10. May be repeated.", Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> folder = new("--out") { HelpName = "folder", Description = "Result folder; must not exist yet or be empty. Default: runs/NAME-DATE-TIME." };
        Option<bool> json = new("--json") { Description = "Prints study.json on standard output and nothing else." };
        Verb command = new(
            "faults",
            """
            Runs an experiment without its faults and with them, on its engine, and compares: steps lost, steps redone, time from each fault to the next committed
            step, goodput, slow-down, and whether the weights are the same. Exit code 1 when they ought to be and are not, when a committed step is lost, or when
            a fault never began; 3 when the run does not survive.

            The section faults: of an experiment, a line for each form; an engine refuses by name what it does not serve:
              faults:
                - { at: step 120, crash: layer-2, restart-after: 2s }     # or restart-after: never; crash: "*" for every actor
                - { at: step 90, pause: layer-1, for: 3s }                # alive and silent
                - { at: step 77, crash: parameter-server, during: snapshot }
                - { at: 3s, partition: [[coordinator, layer-1], [layer-2]], for: 5s }
                - { link: "* -> layer-1", drop: 1%, duplicate: 1%, delay: 5ms..50ms, reorder: true }   # at: and for: for a part of the run
                - { at: step 40, slow: layer-3, factor: 10, for: 20s }    # up to 1000000; until-replaced: true where it is the machine that is slow
                - { at: step 50, suspect: layer-1 }                       # alive, and taken for dead
                - { replica: 2, byzantine: sign-flip }                    # factor: 10 for ten times as much
                - { disk: parameter-server, torn-write: true }            # or full: true
                - { at: 2s, lose-node: layer-1, restart-after: 5s }       # the node of an actor, with what it kept; leave-node: layer-1 leaves in order
                - { at: 3s, join-nodes: 2 }
            Actors: coordinator, layer-0, layer-1, …, parameter-server. With several replicas layer-1/replica-0, with several shards parameter-server-0.
            """,
            ["disttrain study faults examples/faults/layer-crash.yaml", "disttrain study faults my.yaml --engine threads --json"],
            makesFiles: true)
        { file, engine, set, folder, json };
        command.SetAction(result => new FaultStudyCommand(host, engines).Execute(new FaultStudyOptions(
            result.GetRequiredValue(file),
            new Overrides(result.GetValue(set) ?? [], result.GetValue(engine)),
            result.GetValue(folder),
            result.GetValue(json))));
        return command;
    }
}
