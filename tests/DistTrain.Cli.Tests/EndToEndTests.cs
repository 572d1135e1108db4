using System.Diagnostics;
using System.Text.Json;

namespace DistTrain.Cli.Tests;

public sealed class EndToEndTests : IDisposable
{
    private readonly Disttrain _disttrain = new();

    public void Dispose() => _disttrain.Dispose();

    [Fact]
    public void XorIsLearnedAndItsSummaryIsAllThatStandardOutputHolds()
    {
        (int code, string output, string error) = _disttrain.Run("train", "xor", "--json", "--out", "run");
        code.ShouldBe(0, error);
        output.ShouldBe(File.ReadAllText(Path.Combine(_disttrain.Folder, "run", "summary.json")));
        using JsonDocument summary = JsonDocument.Parse(output);
        summary.RootElement.GetProperty("train_accuracy").GetDouble().ShouldBe(1);
        summary.RootElement.GetProperty("test_accuracy").GetDouble().ShouldBe(1);
        summary.RootElement.GetProperty("engine").GetString().ShouldBe("threads");
        summary.RootElement.GetProperty("steps").GetInt64().ShouldBe(200);
    }

    [Fact]
    public void XorIsLearnedFromAHundredSeedsOfAHundred()
    {
        (int code, string output, string error) = _disttrain.Run("train", "xor", "--json", "--set", "training.restarts=100", "--set", "checkpoint.every-steps=0");
        code.ShouldBe(0, error);
        using JsonDocument summary = JsonDocument.Parse(output);
        JsonElement[] seeds = [.. summary.RootElement.GetProperty("seeds").EnumerateArray()];
        seeds.Length.ShouldBe(100);

        // A mean cross-entropy over four rows below ln(2) / 4 leaves no row with the wrong class ahead.
        seeds.ShouldAllBe(seed => seed.GetProperty("final_loss").GetDouble() < 0.173);
    }

    [Fact]
    public void SpiralsAreLearnedToNinetyNinePercent()
    {
        (int code, string output, string error) = _disttrain.Run("train", "spirals", "--json");
        code.ShouldBe(0, error);
        using JsonDocument summary = JsonDocument.Parse(output);
        summary.RootElement.GetProperty("test_accuracy").GetDouble().ShouldBeGreaterThanOrEqualTo(0.99);
    }

    [Fact]
    public void ARunThatStoppedAndWentOnHasTheBitsOfOneThatDidNot()
    {
        (int code, _, string error) = _disttrain.Run("train", "blobs", "--out", "whole", "--json");
        code.ShouldBe(0, error);
        _disttrain.Run("train", "blobs", "--out", "parts", "--json", "--set", "training.epochs=2").Code.ShouldBe(0);
        _disttrain.Run("train", "--resume", "parts", "--json", "--set", "training.epochs=5").Code.ShouldBe(0);
        Hash("parts").ShouldBe(Hash("whole"));
        File.ReadAllBytes(Path.Combine(_disttrain.Folder, "parts", "model.safetensors"))
            .ShouldBe(File.ReadAllBytes(Path.Combine(_disttrain.Folder, "whole", "model.safetensors")));
    }

    [SkippableFact]
    public void AnInterruptStopsAtACommittedStepAndTheRunGoesOnToTheSameBits()
    {
        Skip.If(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        string[] experiment = ["train", "blobs", "--json", "--set", "training.epochs=150", "--set", "training.evaluate-every=150"];
        _disttrain.Run([.. experiment, "--out", "whole"]).Code.ShouldBe(0);
        using Process process = _disttrain.Start([.. experiment, "--out", "parts"]);
        WaitForSteps(process, Path.Combine(_disttrain.Folder, "parts", "metrics.jsonl"));
        using (Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
        {
            kill.WaitForExit();
        }

        (int code, string output, string error) = Disttrain.Finish(process);
        code.ShouldBe(0, error);
        using JsonDocument summary = JsonDocument.Parse(output);
        if (summary.RootElement.GetProperty("status").GetString() == "stopped")
        {
            error.ShouldContain("stopping at the next committed step");
            _disttrain.Run("train", "--resume", "parts", "--json").Code.ShouldBe(0);
        }

        Hash("parts").ShouldBe(Hash("whole"));
    }

    [Fact]
    public void AKilledRunGoesOnFromItsLastSnapshotToTheSameBits()
    {
        string[] experiment = ["train", "blobs", "--json", "--set", "training.epochs=100", "--set", "training.evaluate-every=100", "--set", "checkpoint.every-steps=50"];
        _disttrain.Run([.. experiment, "--out", "whole"]).Code.ShouldBe(0);
        using (Process process = _disttrain.Start([.. experiment, "--out", "parts"]))
        {
            WaitForSteps(process, Path.Combine(_disttrain.Folder, "parts", "metrics.jsonl"));
            process.Kill();
            process.WaitForExit();
        }

        (int code, _, string error) = _disttrain.Run("train", "--resume", "parts", "--json");
        code.ShouldBe(0, error);
        Hash("parts").ShouldBe(Hash("whole"));

        // Every step and epoch is logged once, in order, whatever was logged before the kill.
        Logged("parts").ShouldBe(Logged("whole"));
    }

    [Fact]
    public void ATrainedModelEvaluatesToItsSummary()
    {
        (_, string trained, _) = _disttrain.Run("train", "blobs", "--json", "--out", "run");
        (int code, string evaluated, string error) = _disttrain.Run("evaluate", "run", "--json");
        code.ShouldBe(0, error);
        using JsonDocument summary = JsonDocument.Parse(trained), evaluation = JsonDocument.Parse(evaluated);
        evaluation.RootElement.GetProperty("accuracy").GetDouble().ShouldBe(summary.RootElement.GetProperty("test_accuracy").GetDouble());
        evaluation.RootElement.GetProperty("loss").GetDouble().ShouldBe(summary.RootElement.GetProperty("test_loss").GetDouble(), 1e-6);
    }

    [Theory]
    [InlineData("train xor --set training.epoch=3", "--set training.epoch: there is no such key; expected epochs, ")]
    [InlineData("train xor --set training.batch-size=5", "--set training.batch-size: 5 is more than the 4 training rows")]
    [InlineData("tarin", "did you mean 'train'?")]
    public void ABadCommandExitsWith2AndLeavesNothingBehind(string line, string message)
    {
        (int code, string output, string error) = _disttrain.Run(line.Split(' '));
        code.ShouldBe(2);
        error.ShouldContain(message);
        output.ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(_disttrain.Folder).ShouldBeEmpty();
    }

    [Fact]
    public void WithoutArgumentsHelpShowsWhereToStart()
    {
        (int code, string output, _) = _disttrain.Run();
        code.ShouldBe(0);
        output.ShouldContain("disttrain train");
        output.ShouldContain("Exit codes:");
    }

    [Fact]
    public void TwoProcessesWriteTheSameJournalByteForByteAndTheWeightsAreThoseOfThreads()
    {
        string[] experiment = ["train", "xor", "--json", "--set", "training.epochs=30", "--set", "checkpoint.every-steps=10"];
        string[] network = ["--engine", "simulated", "--set", "simulation={ jitter: 200us, drop: 0.03, duplicate: 0.02, reorder: 0.05, latency: 1ms }"];
        using Process first = _disttrain.Start([.. experiment, .. network, "--out", "first"]);
        using Process second = _disttrain.Start([.. experiment, .. network, "--out", "second"]);
        (int code, string output, string error) = Disttrain.Finish(first);
        code.ShouldBe(0, error);
        Disttrain.Finish(second).Code.ShouldBe(0);
        byte[] journal = Journal("first");
        journal.Length.ShouldBeGreaterThan(10_000);
        Journal("second").AsSpan().SequenceEqual(journal).ShouldBeTrue();

        using JsonDocument summary = JsonDocument.Parse(output);
        summary.RootElement.GetProperty("engine").GetString().ShouldBe("simulated");
        summary.RootElement.GetProperty("virtual_seconds").GetDouble().ShouldBeGreaterThan(0.1);
        _disttrain.Run([.. experiment, "--out", "threads"]).Code.ShouldBe(0);
        Hash("first").ShouldBe(Hash("threads"));
    }

    [Fact]
    public void ARunThatOnlyCountsTimeLeavesNoModel()
    {
        (int code, string output, string error) =
            _disttrain.Run("train", "xor", "--json", "--engine", "simulated", "--out", "run", "--set", "simulation.timing-only=true");
        code.ShouldBe(0, error);
        using JsonDocument summary = JsonDocument.Parse(output);
        summary.RootElement.GetProperty("steps").GetInt64().ShouldBe(200);
        summary.RootElement.GetProperty("virtual_seconds").GetDouble().ShouldBeGreaterThan(0.01);
        summary.RootElement.GetProperty("final_loss").ValueKind.ShouldBe(JsonValueKind.Null);
        summary.RootElement.GetProperty("weights_sha256").GetString().ShouldBe("");
        File.ReadAllText(Path.Combine(_disttrain.Folder, "run", "metrics.jsonl")).ShouldContain("\"loss\":null");
        File.Exists(Path.Combine(_disttrain.Folder, "run", "model.safetensors")).ShouldBeFalse();
        Directory.EnumerateFileSystemEntries(Path.Combine(_disttrain.Folder, "run", "journal")).Select(Path.GetFileName).ShouldBe(["settings.yaml"]);
    }

    private byte[] Journal(string run) => File.ReadAllBytes(Path.Combine(_disttrain.Folder, run, "journal", "events-from-000000000.log"));

    private static void WaitForSteps(Process process, string metrics)
    {
        // The log is polled because the process tells nobody else how far it is.
        while (!process.HasExited && !(File.Exists(metrics) && new FileInfo(metrics).Length > 0))
        {
            process.WaitForExit(TimeSpan.FromMilliseconds(5));
        }
    }

    private IEnumerable<string> Logged(string run) => File.ReadLines(Path.Combine(_disttrain.Folder, run, "metrics.jsonl"))
        .Select(line => line[..line.IndexOf(",\"elapsed_seconds\"", StringComparison.Ordinal)]);

    private string Hash(string run)
    {
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(_disttrain.Folder, run, "summary.json")));
        summary.RootElement.GetProperty("status").GetString().ShouldBe("completed");
        return summary.RootElement.GetProperty("weights_sha256").GetString().ShouldNotBeNull();
    }
}
