using BenchmarkDotNet.Running;
using DistTrain.Benchmarks;
using DistTrain.Engines.Processes;
using DistTrain.Numerics;

// What benchmarks start themselves as.
switch (args)
{
    case [ProcessesChild.Verb]:
        return ProcessesChild.Run(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, text =>
            text == FootprintBenchmark.Waiting ? FootprintBenchmark.ReadWaiting()
            : text.StartsWith(DdpBenchmark.Experiment, StringComparison.Ordinal) ? DdpBenchmark.Read(text) : KillsBenchmark.Read(text));
    case [RingsBenchmark.PeerVerb, ..]:
        return RingsBenchmark.RunPeer(args);
    case [FootprintBenchmark.PeerVerb, string experiment]:
        return FootprintBenchmark.RunPeer(experiment);
}

if (args is ["--help" or "-h" or "help", ..])
{
    BenchmarkCommand.PrintUsage();
    return 0;
}

if (args is [string first, ..] && first.StartsWith('-'))
{
    BenchmarkSwitcher.FromAssembly(typeof(OverheadBenchmark).Assembly).Run(args);
    return 0;
}

BenchmarkArguments words = new(args.Length > 0 ? args[1..] : []);
if (args is [string name, ..] && BenchmarkCommand.All.SingleOrDefault(command => command.Name == name) is { } chosen && words.Count >= chosen.Required)
{
    try
    {
        if (!chosen.BetweenCores)
        {
            return chosen.Run(words);
        }

        CoreDistance.Print("before");
        int code = chosen.Run(words);
        CoreDistance.Print("after");
        return code;
    }
    catch (InvalidInputException wrong)
    {
        // A folder that does not hold the data, for one.
        Console.Error.WriteLine(wrong.Message);
        return 2;
    }
}

BenchmarkCommand.PrintUsage();
return 2;
