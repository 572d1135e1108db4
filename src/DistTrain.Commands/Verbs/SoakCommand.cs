using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Engines.Soaking;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>What <c>soak</c> was asked for; a seed only without the rest.</summary>
internal sealed record SoakAsked(long? Seeds, string? From, string? Seed, double? Minutes);

/// <summary>The <c>soak</c> verb: whole runs and faults drawn from seeds, and the guarantees held against each.</summary>
internal sealed class SoakCommand(CommandHost host)
{
    private const long DefaultSeeds = 1_000;
    private readonly TimeSpan _shownEvery = TimeSpan.FromSeconds(host.Interactive ? 0.2 : 10);

    /// <summary>Soaks; exit code 0 when every guarantee held for every seed.</summary>
    public int Execute(SoakAsked asked)
    {
        SoakOptions options = Options(asked);
        TimeSpan shown = default;
        SoakProgress done = Soak.Run(
            options,
            progress =>
            {
                if (progress.Elapsed - shown >= _shownEvery)
                {
                    shown = progress.Elapsed;
                    Show(progress, options);
                }
            },
            Print,
            host.Stop);
        if (host.Interactive)
        {
            host.Out.Write("\r\x1b[K");
        }

        Summarize(done);
        return done.Failed > 0 ? ExitCodes.DidNotHold : ExitCodes.Done;
    }

    private static SoakOptions Options(SoakAsked asked)
    {
        if (asked.Seed is not null && (asked.Seeds is not null || asked.From is not null || asked.Minutes is not null))
        {
            throw new InvalidInputException("disttrain soak: --seed is one seed alone; expected it without --seeds, --from and --minutes");
        }

        if (asked.Seeds is < 1)
        {
            throw new InvalidInputException($"disttrain soak: --seeds {asked.Seeds} is out of range; expected a whole number of at least 1");
        }

        if (asked.Minutes is double minutes && minutes is not (> 0 and <= 100_000))
        {
            throw new InvalidInputException("disttrain soak: --minutes is out of range; expected a number above 0 and at most 100000");
        }

        ulong first = asked.Seed is string alone ? Seed("--seed", alone) : asked.From is string from ? Seed("--from", from) : 1;
        TimeSpan? limit = asked.Minutes is double time ? TimeSpan.FromMinutes(time) : null;
        long? seeds = asked.Seed is not null ? 1 : asked.Seeds ?? (limit is null ? DefaultSeeds : null);
        return new SoakOptions(first, seeds, limit, asked.Seed is null ? Environment.ProcessorCount : 1);
    }

    private static ulong Seed(string option, string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
        ? seed
        : throw new InvalidInputException($"disttrain soak: {option} '{text}' is not a seed; expected a whole number from 0 to {ulong.MaxValue}");

    private void Show(SoakProgress progress, SoakOptions options)
    {
        string of = options.Seeds is long seeds ? string.Create(CultureInfo.InvariantCulture, $" of {seeds}") : "";
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{progress.Seeds}{of} seeds in {progress.Elapsed.TotalSeconds:0} s, {progress.Failed} failed");
        if (host.Interactive)
        {
            host.Out.Write($"\r\x1b[K{line}");
        }
        else
        {
            host.Out.WriteLine(line);
        }
    }

    private void Print(SoakFailure failure)
    {
        if (host.Interactive)
        {
            host.Out.Write("\r\x1b[K");
        }

        host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"disttrain soak --seed {failure.Seed}"));
        host.Out.WriteLine($"  {failure.Finding.Guarantee}: {failure.Finding.What}");
        host.Out.WriteLine($"  {failure.Configuration}");
        host.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {failure.Faults.Count} of the seed's {failure.FaultsDrawn} faults are enough, in {failure.Epochs} {(failure.Epochs == 1 ? "epoch" : "epochs")}:"));
        if (failure.Faults.Count == 0)
        {
            return;
        }

        YamlText yaml = new();
        yaml.Group("faults", group => FaultItems.Write(group, failure.Faults, [], failure.Topology));
        foreach (string line in yaml.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            host.Out.WriteLine($"  {line}");
        }
    }

    private void Summarize(SoakProgress done)
    {
        string verdict = done.Failed == 0 ? "every guarantee held" : $"{done.Failed.ToString(CultureInfo.InvariantCulture)} broke a guarantee";
        host.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{done.Seeds} seeds in {done.Elapsed.TotalSeconds:0.0} s ({done.Virtual.TotalSeconds:0} s of virtual time): {verdict}"));
        string kinds = string.Join(", ", done.FaultsByKind.Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Key} {kind.Value}")));
        if (host.Stop.IsCancellationRequested)
        {
            host.Error.WriteLine("disttrain soak: stopped before all seeds were run");
        }

        host.Out.WriteLine($"faults: {(kinds.Length > 0 ? kinds : "none")}");
    }
}
