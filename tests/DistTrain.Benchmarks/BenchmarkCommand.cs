using System.Globalization;

namespace DistTrain.Benchmarks;

/// <summary>What a benchmark's command line holds after its name.</summary>
internal readonly struct BenchmarkArguments(string[] words)
{
    /// <summary>How many words there are.</summary>
    public int Count => words.Length;

    /// <summary>A word, or null where the line is shorter.</summary>
    public string? Text(int index) => index < words.Length ? words[index] : null;

    /// <summary>A whole number, or its default.</summary>
    public int Number(int index, int fallback) => index < words.Length ? int.Parse(words[index], CultureInfo.InvariantCulture) : fallback;

    /// <summary>A number of seconds, or its default.</summary>
    public double Seconds(int index, double fallback) => index < words.Length ? double.Parse(words[index], CultureInfo.InvariantCulture) : fallback;
}

/// <summary>A benchmark by name.</summary>
/// <param name="Name">First word of the command line.</param>
/// <param name="Usage">The words after it, those that may be left out in brackets.</param>
/// <param name="Required">How many of them may not.</param>
/// <param name="Run">Runs it; the exit code.</param>
internal sealed record BenchmarkCommand(string Name, string Usage, int Required, Func<BenchmarkArguments, int> Run)
{
    /// <summary>Whether its figures depend on how far cores are apart, which is printed before and after them.</summary>
    public bool BetweenCores { get; private init; }

    /// <summary>All of them, in the order of the README.</summary>
    public static IReadOnlyList<BenchmarkCommand> All { get; } =
    [
        Plain("overhead", "[rounds]", words => OverheadBenchmark.Run(words.Number(0, 9))),
        Plain("front", "[rounds [folder of golub-leukemia.csv.gz [compute threads]]]", words => FrontBenchmark.Run(words.Number(0, 5), words.Text(1), words.Number(2, 1))),
        new("front-alone", "[rounds [compute threads]]", 0, words => FrontAloneBenchmark.Run(words.Number(0, 15), words.Number(1, 1))),
        Plain("torch", "[rounds [part of a case's title]]", words => TorchBenchmark.Run(words.Number(0, 9), words.Text(1))) with { BetweenCores = true },
        Plain("gemm", "[threads [part of a product's title]]", words => GemmBenchmark.Run(words.Number(0, 1), words.Text(1))) with { BetweenCores = true },
        Plain("events", "[layers [steps]]", words => EventsBenchmark.Run(words.Number(0, 10_000), words.Number(1, 100))),
        new("kills", "FOLDER-OF-FASHION-MNIST [kills [epochs [restarts of everything]]]", 1, words => KillsBenchmark.Run(words.Text(0)!, words.Number(1, 50), words.Number(2, 5), words.Number(3, 10))),
        Plain("predict", "[rounds [part of a case's title]]", words => PredictBenchmark.Run(words.Number(0, 5), words.Text(1))),
        Plain("durability", "[rounds]", words => DurabilityBenchmark.Run(words.Number(0, 7))),
        Plain("dashboard", "[rounds [seconds of a run [part of a case's title]]]", words => DashboardBenchmark.Run(words.Number(0, 21), words.Seconds(1, 2), words.Text(2))),
        Plain("rings", "[rounds]", words => RingsBenchmark.Run(words.Number(0, 9))) with { BetweenCores = true },
        Plain("loading", "[rounds [folder of Fashion-MNIST]]", words => LoadingBenchmark.Run(words.Number(0, 5), words.Text(1))),
        Plain("growth", "[rounds]", words => GrowthBenchmark.Run(words.Number(0, 5))) with { BetweenCores = true },
        Plain("pipeline", "[rounds]", words => PipelineBenchmark.Run(words.Number(0, 9))) with { BetweenCores = true },
        Plain("allocations", "[rounds]", words => AllocationsBenchmark.Run(words.Number(0, 9))) with { BetweenCores = true },
        new("memory", "FOLDER-OF-FASHION-MNIST [rounds]", 1, Always(words => FootprintBenchmark.Memory(words.Number(1, 3), words.Text(0)!))),
        new("startup", "PATH-OF-DISTTRAIN [rounds [experiment file]]", 1, Always(words => FootprintBenchmark.Startup(words.Number(1, 9), words.Text(0)!, words.Text(2)))),
        Plain("idle", "[seconds]", words => FootprintBenchmark.Idle(words.Number(0, 10))),
        Plain("ddp", "[rounds [layers of each stage, such as 1,1,1]]", words => DdpBenchmark.Run(words.Number(0, 9), words.Text(1))) with { BetweenCores = true },
    ];

    /// <summary>How each is called.</summary>
    public static void PrintUsage()
    {
        const string Call = "dotnet run -c Release --project tests/DistTrain.Benchmarks --";
        Console.WriteLine("usage:");
        foreach (BenchmarkCommand command in All)
        {
            Console.WriteLine($"  {Call} {command.Name} {command.Usage}");
        }

        Console.WriteLine($"  {Call} --filter '*'   (BenchmarkDotNet)");
    }

    private static BenchmarkCommand Plain(string name, string usage, Action<BenchmarkArguments> run) => new(name, usage, 0, Always(run));

    private static Func<BenchmarkArguments, int> Always(Action<BenchmarkArguments> run) => words =>
    {
        run(words);
        return 0;
    };
}
