using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistTrain.Engines;
using DistTrain.Numerics.Randomness;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Cli.Tests;

/// <summary>The whole process killed at random instants: SIGKILL leaves it no last word.</summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private const int StepsInFlight = 2;

    private const string Experiment = """
        name: killed
        seed: 3
        data: { source: glyphs }
        network:
          - dense: { units: 32, activation: relu }
          - dense: { units: 10, activation: softmax }
        loss: cross-entropy
        optimizer: { name: adam, learning-rate: 0.001 }
        training: { epochs: 3, batch-size: 64, micro-batches: 2 }
        parameter-server: { shards: 2 }
        checkpoint: { every-steps: 50 }
        """;

    private static readonly int Kills =
        Environment.GetEnvironmentVariable("DISTTRAIN_KILLS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 4;

    private readonly Disttrain _disttrain = new();

    /// <summary>On <c>either</c> engine: each resume is on the other one than the run before.</summary>
    [SkippableTheory]
    [InlineData("threads", "memory")]
    [InlineData("threads", "step")]
    [InlineData("threads", "power")]
    [InlineData("processes", "step")]
    [InlineData("processes", "power")]
    [InlineData("either", "step")]
    public void KilledAtRandomInstantsItGoesOnFromTheLastCommittedStep(string engine, string durability)
    {
        Skip.If(engine != "threads" && OperatingSystem.IsWindows(), "Processes are killed by signal.");
        File.WriteAllText(Path.Combine(_disttrain.Folder, "killed.yaml"), Experiment);
        string expected = Sha(Finished("train", "killed.yaml", "--out", "whole", "--json"));
        long started = Stopwatch.GetTimestamp();
        Finished("train", "killed.yaml", "--out", "timed", "--engine", EngineOf(engine, 1), "--set", $"durability={durability}", "--json");
        TimeSpan takes = Stopwatch.GetElapsedTime(started);

        RandomStream draws = new(1, RandomPurpose.Faults, layer: durability.Length, replica: engine.Length);
        int kills = 0, runs = 0, attempts = 0;
        (int aheadMax, int redoneMax) = (0, 0);
        while (kills < Kills)
        {
            string run = $"run-{runs++}";
            // A new instant for each attempt: one that comes after the end of a run would come after the end of the next one too.
            attempts.ShouldBeLessThan(20 * (Kills + 1), "most instants lie within a run");
            string[] arguments = ["train", "killed.yaml", "--out", run, "--engine", EngineOf(engine, kills), "--set", $"durability={durability}", "--json"];
            while (kills < Kills && Kill(arguments, takes * draws.Uniform(attempts++), everything: kills % 2 == 0))
            {
                kills++;
                if (File.Exists(Path.Combine(_disttrain.Folder, run, "experiment.yaml")))
                {
                    arguments = ["train", "--resume", run, "--engine", EngineOf(engine, kills), "--json"];
                    if (durability != "memory")
                    {
                        (int ahead, int redone) = CheckCommitted(run);
                        (aheadMax, redoneMax) = (Math.Max(aheadMax, ahead), Math.Max(redoneMax, redone));
                    }
                }
                else if (Directory.Exists(Path.Combine(_disttrain.Folder, run)))
                {
                    Directory.Delete(Path.Combine(_disttrain.Folder, run), recursive: true);
                }
            }

            if (!File.Exists(Path.Combine(_disttrain.Folder, run, "summary.json")))
            {
                Sha(Finished(arguments)).ShouldBe(expected, run);
            }

            using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(_disttrain.Folder, run, "summary.json")));
            Sha(summary.RootElement.GetRawText()).ShouldBe(expected, run);
        }

        output.WriteLine(
            $"{engine}, {durability}: {kills} kills over {runs} runs, equal weights"
            + (durability == "memory"
                ? ""
                : $"; no committed step lost; at most {aheadMax} committed steps were not in the metrics yet, and at most {redoneMax} steps prepared, but not committed"));
    }

    public void Dispose() => _disttrain.Dispose();

    private static string EngineOf(string engine, int kills) => engine != "either" ? engine : kills % 2 == 0 ? "threads" : "processes";

    /// <summary>Every step that the run told of as committed is known to the journal, and no more steps were begun beyond these than may be in flight.</summary>
    private (int Ahead, int Redone) CheckCommitted(string run)
    {
        string folder = Path.Combine(_disttrain.Folder, run), metrics = Path.Combine(folder, "metrics.jsonl");
        long committed = Journal.LastCommittedStep(Path.Combine(folder, "journal")) ?? 0, told = 0;
        foreach (string line in File.Exists(metrics) ? File.ReadAllLines(metrics) : [])
        {
            if (line.EndsWith('}') && JsonDocument.Parse(line).RootElement.TryGetProperty("step", out JsonElement step))
            {
                told = Math.Max(told, step.GetInt64());
            }
        }

        committed.ShouldBeGreaterThanOrEqualTo(told, $"{run}: a committed step is lost");
        long prepared = Journal.LastPreparedStep(Path.Combine(folder, "journal"));
        (prepared - committed).ShouldBeLessThanOrEqualTo(StepsInFlight, $"{run}: steps to redo");
        return ((int)(committed - told), (int)Math.Max(0, prepared - committed));
    }

    /// <summary>Starts and kills it after a time, by itself, whereupon its children end, or with its children; false when it had ended before.</summary>
    private bool Kill(string[] arguments, TimeSpan after, bool everything)
    {
        using Process process = _disttrain.Start(arguments);
        if (process.WaitForExit(after))
        {
            process.ExitCode.ShouldBe(0, process.StandardError.ReadToEnd());
            return false;
        }

        process.Kill(entireProcessTree: everything);
        process.WaitForExit();
        return true;
    }

    private string Finished(params string[] arguments)
    {
        (int code, string summary, string error) = _disttrain.Run(arguments);
        code.ShouldBe(0, error);
        return summary;
    }

    private static string Sha(string summary) => JsonDocument.Parse(summary).RootElement.GetProperty("weights_sha256").GetString()!;
}
