using System.CommandLine;

namespace DistTrain.Commands.Verbs;

/// <summary>The verbs about what goes wrong.</summary>
internal static class FaultVerbs
{
    /// <summary><c>soak</c>.</summary>
    public static Verb Soak(CommandHost host)
    {
        Option<long?> seeds = new("--seeds") { HelpName = "number", Description = "How many seeds. Default: 1000." };
        Option<string?> from = new("--from") { HelpName = "seed", Description = "The first of the seeds. Default: 1." };
        Option<string?> seed = new("--seed") { HelpName = "seed", Description = "One seed alone, as a failure was reported." };
        Option<double?> minutes = new("--minutes") { HelpName = "minutes", Description = "Begins no seed after so long; without --seeds, as many as fit." };
        Verb command = new(
            "soak",
            "Draws whole runs and faults from seeds, simulates them, and checks what the protocol promises: every contribution once, nothing committed is lost, "
            + "staleness bounded, an end after the faults, and the weights of a run without faults. Exit code 1 when a seed breaks a promise; Ctrl-C stops.",
            ["disttrain soak --seeds 10000", "disttrain soak --minutes 30 --from 10001", "disttrain soak --seed 4711"]) { seeds, from, seed, minutes };
        command.SetAction(result => new SoakCommand(host).Execute(new SoakAsked(
            result.GetValue(seeds), result.GetValue(from), result.GetValue(seed), result.GetValue(minutes))));
        return command;
    }
}
