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
        Environment.GetEnvironmentVariable("DISTTRAIN_KILLS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 3;

    private readonly Disttrain _disttrain = new();

    [Theory]
    [InlineData("memory")]
    [InlineData("step")]
    [InlineData("power")]
    public void KilledAtRandomInstantsItGoesOnFromTheLastCommittedStep(string durability)
    {
        File.WriteAllText(Path.Combine(_disttrain.Folder, "killed.yaml"), Experiment);
        string expected = Sha(Finished("train", "killed.yaml", "--out", "whole", "--json"));
        long started = Stopwatch.GetTimestamp();
        Finished("train", "killed.yaml", "--out", "timed", "--set", $"durability={durability}", "--json");
        TimeSpan takes = Stopwatch.GetElapsedTime(started);

        RandomStream draws = new(1, RandomPurpose.Faults, layer: durability.Length);
        int kills = 0, runs = 0, aheadMax = 0, attempts = 0;
        while (kills < Kills)
        {
            string run = $"run-{runs++}";
            // A new instant for each attempt: one that comes after the end of a run would come after the end of the next one too.
            attempts.ShouldBeLessThan(20 * (Kills + 1), "most instants lie within a run");
            string[] arguments = ["train", "killed.yaml", "--out", run, "--set", $"durability={durability}", "--json"];
            while (kills < Kills && Kill(arguments, takes * draws.Uniform(attempts++)))
            {
                kills++;
                if (File.Exists(Path.Combine(_disttrain.Folder, run, "experiment.yaml")))
                {
                    arguments = ["train", "--resume", run, "--json"];
                    aheadMax = durability == "memory" ? 0 : Math.Max(aheadMax, CheckCommitted(run));
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

        output.WriteLine($"{durability}: {kills} kills over {runs} runs; at most {aheadMax} committed steps were not in the metrics yet");
    }

    public void Dispose() => _disttrain.Dispose();

    /// <summary>Every step that the run told of as committed is known to the journal.</summary>
    private int CheckCommitted(string run)
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
        return (int)(committed - told);
    }

    /// <summary>Starts and kills it after a time; false when it had ended before.</summary>
    private bool Kill(string[] arguments, TimeSpan after)
    {
        using Process process = _disttrain.Start(arguments);
        if (process.WaitForExit(after))
        {
            process.ExitCode.ShouldBe(0);
            return false;
        }

        process.Kill();
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
