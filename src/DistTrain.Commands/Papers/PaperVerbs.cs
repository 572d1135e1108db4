using System.CommandLine;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Papers.FrontContribution;
using DistTrain.Commands.Papers.Kate;
using DistTrain.Commands.Papers.WorkedExample;
using DistTrain.Commands.Papers.XorInit;
using DistTrain.Commands.Verbs;
using DistTrain.Engines;
using DistTrain.Numerics;

namespace DistTrain.Commands.Papers;

/// <summary>The verb <c>paper</c>: a paper's figures beside ours; exit code 1 where ours does not hold.</summary>
internal static class PaperVerbs
{
    /// <summary>The verb with a subcommand for each paper.</summary>
    public static Command Create(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        Verb[] papers = [FrontContribution(host), WorkedExample(host), XorInit(host), Kate(engines, host)];
        string[] names = [.. papers.Select(paper => paper.Name)];

        // Takes what is none of the subcommands, so that the error can name the nearest one.
        Argument<string?> unknown = new("name") { Arity = ArgumentArity.ZeroOrOne, Hidden = true };
        Verb command = new(
            "paper",
            "Reproduces results of papers and prints theirs beside ours; exit code 1 where ours does not hold.",
            [
                "disttrain paper front-contribution",
                "disttrain paper worked-example",
                "disttrain paper xor-init",
                "disttrain paper kate --data data/20news",
            ]) { unknown };
        Array.ForEach(papers, command.Add);
        command.SetAction(int (result) => throw new InvalidInputException(result.GetValue(unknown) is string name
            ? $"disttrain paper: there is no paper '{name}'; expected {MapReader.OneOf(names)}{Nearest.Hint(name, names)}"
            : $"disttrain paper: which one? Expected {MapReader.OneOf(names)}"));
        return command;
    }

    private static Verb FrontContribution(CommandHost host)
    {
        Option<int> iterations = new("--iterations") { HelpName = "number", Description = "Updates of each run.", DefaultValueFactory = _ => 10_000 };
        Option<int> seeds = new("--seeds") { HelpName = "number", Description = "Starts of each setting.", DefaultValueFactory = _ => 20 };
        Option<string[]> rates = new("--learning-rates")
        {
            HelpName = "numbers",
            Description = "Separated by commas.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ["0.1,0.01,0.001"],
        };
        Option<bool> json = Json();
        Verb command = new(
            "front-contribution",
            "Figure 3 of Mishra and Arunkumar: training the final layer alone against backpropagation on a 2-2-1 network, and which of their formulas are exact.",
            [
                "disttrain paper front-contribution",
                "disttrain paper front-contribution --seeds 5 --learning-rates 0.1,0.05",
            ]) { iterations, seeds, rates, json };
        command.SetAction(result => Stoppable(host, () => new FrontContributionCommand(host).Execute(
            result.GetValue(iterations), result.GetValue(seeds), result.GetValue(rates) ?? [], result.GetValue(json))));
        return command;
    }

    private static Verb WorkedExample(CommandHost host)
    {
        Option<bool> json = Json();
        Verb command = new(
            "worked-example",
            "The numbers of the lecture's worked examples (net_h1 = 0.3775, ..., w1+ = 0.149780716) beside ours.",
            [
                "disttrain paper worked-example",
            ]) { json };
        command.SetAction(result => new WorkedExampleCommand(host).Execute(result.GetValue(json)));
        return command;
    }

    private static Verb XorInit(CommandHost host)
    {
        Option<int> seeds = new("--seeds") { HelpName = "number", Description = "Starts of each variant.", DefaultValueFactory = _ => 1_000 };
        Option<bool> json = Json();
        Verb command = new(
            "xor-init",
            "How often a small network never learns XOR from weights in (0, 1), and what momentum, more units and restarts do to that.",
            [
                "disttrain paper xor-init",
                "disttrain paper xor-init --seeds 100",
            ]) { seeds, json };
        command.SetAction(result => Stoppable(host, () => new XorInitCommand(host).Execute(result.GetValue(seeds), result.GetValue(json))));
        return command;
    }

    private static Verb Kate(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        KateSettings usual = new();
        Option<string?> data = new("--data") { HelpName = "folder", Description = "Folder with NAME.train.libsvm.gz and NAME.test.libsvm.gz: word counts of 20 Newsgroups. Needed." };
        Option<int> epochs = new("--epochs") { HelpName = "number", Description = "Epochs of each autoencoder.", DefaultValueFactory = _ => usual.Epochs };
        Option<string> optimizer = new("--optimizer") { HelpName = "name", Description = $"{MapReader.OneOf([.. KateSettings.OptimizerNames])}.", DefaultValueFactory = _ => KateSettings.OptimizerNames[0] };
        Option<double?> rate = new("--learning-rate") { HelpName = "number", Description = "η of the autoencoders. Default: one at which the competition helps." };
        Option<ulong> seed = new("--seed") { HelpName = "number", Description = "Seed of weights and order.", DefaultValueFactory = _ => usual.Seed };
        Option<bool> json = Json();
        Verb command = new(
            "kate",
            "The k-competitive autoencoder of Chen and Zaki on 20 Newsgroups, beside k-sparse and plain autoencoders and a supervised classifier.",
            [
                "disttrain paper kate --data data/20news",
                "disttrain paper kate --data data/20news --optimizer adadelta --learning-rate 2",
            ]) { data, epochs, optimizer, rate, seed, json };
        command.SetAction(result => Stoppable(host, () => new KateCommand(host, engines).Execute(new KateOptions(
            result.GetValue(data),
            result.GetValue(epochs),
            result.GetValue(optimizer) ?? "",
            result.GetValue(rate),
            result.GetValue(seed),
            result.GetValue(json)))));
        return command;
    }

    private static int Stoppable(CommandHost host, Func<int> run)
    {
        try
        {
            return run();
        }
        catch (OperationCanceledException) when (host.Stop.IsCancellationRequested)
        {
            host.Error.WriteLine("disttrain paper: stopped before there was a result; nothing was written");
            return ExitCodes.Done;
        }
    }

    private static Option<bool> Json() => new("--json") { Description = "Prints the figures as JSON on standard output and nothing else." };
}
