using System.Security.Cryptography;
using DistTrain.Engines;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;

namespace DistTrain.Commands.Tests.Runs;

public sealed class ResumeTests
{
    [Fact]
    public void ARunThatEarlyStoppingEndedSaysSoAndWhatLetsItTrainOn()
    {
        using Bench bench = new() { Engine = new FakeEngine { CompletesAt = 8 } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.early-stopping={ patience: 1 }", "--set", "training.epochs=40").ShouldBe(0, bench.Error);
        bench.Out.ShouldContain("; stopped early, of 40 epochs: the best loss is 1 evaluation old");
        bench.Run("train", "--resume", "run").ShouldBe(0);
        bench.Out.Trim().Split('\n').ShouldBe(
        [
            "run is finished: 2 epochs, 8 steps; early stopping ended it before its 40 epochs.",
            "To train on: disttrain train --resume run --set training.early-stopping.patience=2",
            "or, to the last epoch whatever the loss does, with --set training.early-stopping=null",
        ]);
        bench.Run("train", "--resume", "run", "--set", "training.early-stopping.patience=2").ShouldBe(0, bench.Error);
        bench.Engine.Requests[^1].Settings.Training.EarlyStoppingPatience.ShouldBe(2);
        bench.Engine.Requests[^1].ResumeFromStep.ShouldBe(8);
    }

    [Fact]
    public void WithoutEarlyStoppingAnEarlyStoppedRunGoesOnToItsLastEpoch()
    {
        using Bench bench = new() { Engine = new FakeEngine { CompletesAt = 8 } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.early-stopping={ patience: 1 }", "--set", "training.epochs=40").ShouldBe(0, bench.Error);
        bench.Run("train", "--resume", "run", "--set", "training.early-stopping=null").ShouldBe(0, bench.Error);
        bench.Out.ShouldContain("completed 40 epochs, 160 steps");
    }

    [Fact]
    public void TheAdviceToAFinishedRunIsTaken()
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.early-stopping={ patience: 1 }").ShouldBe(0, bench.Error);
        bench.Run("train", "--resume", "run").ShouldBe(0);
        bench.Out.Trim().Split('\n').ShouldBe(
            ["run is finished: 2 epochs, 8 steps.", "To train on: disttrain train --resume run --set training.epochs=4"]);
        bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(0, bench.Error);
        bench.Out.ShouldContain("completed 4 epochs, 16 steps");
    }

    [Fact]
    public void AResumeThatTheEngineRefusesLeavesTheRunAsItWas()
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0, bench.Error);
        FakeJournal.Write(bench.At("run", "journal"), 4);
        Dictionary<string, string> before = Contents(bench);
        using Bench refusing = new() { Engine = new FakeEngine { Throws = new InvalidInputException("slice-001: damaged") } };
        refusing.Run("train", "--resume", bench.At("run"), "--set", "training.epochs=4").ShouldBe(2);
        refusing.Error.Trim().ShouldBe("slice-001: damaged");
        Contents(bench).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public void AResumeOfOneSeedOfSeveralThatIsRefusedLeavesTheRunAsItWas()
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.restarts=2").ShouldBe(0, bench.Error);
        Dictionary<string, string> before = Contents(bench);
        using Bench refusing = new() { Engine = new FakeEngine { Throws = new InvalidInputException("damaged") } };
        refusing.Run("train", "--resume", bench.At("run"), "--set", "training.epochs=4").ShouldBe(2);
        Contents(bench).ShouldBe(before, ignoreOrder: true);
    }

    [Theory]
    [InlineData("slice-001.safetensors")]
    [InlineData("coordinator.json")]
    public void ADamagedSnapshotIsRefusedBeforeAnythingIsWritten(string damaged)
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        IReadOnlyList<IEngine> engines = [new ThreadsEngine()];
        bench.RunOn(engines, "train", "my.yaml", "--out", "run").ShouldBe(0, bench.Error);
        string file = Directory.EnumerateFiles(bench.At("run", "journal"), damaged, SearchOption.AllDirectories).ShouldHaveSingleItem();
        using (FileStream stream = File.OpenWrite(file))
        {
            stream.SetLength(stream.Length / 2);
        }

        Dictionary<string, string> before = Contents(bench);
        bench.RunOn(engines, "train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(2);
        bench.Error.ShouldContain(damaged);
        Contents(bench).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public void ACompletedRunThatCannotBeTrainedOnKeepsItsResults()
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0, bench.Error);
        string summary = File.ReadAllText(bench.At("run", "summary.json"));
        using Bench failing = new() { Engine = new FakeEngine { Ending = _ => (RunStatus.Failed, double.NaN), FailsAtOnce = true } };
        failing.Run("train", "--resume", bench.At("run"), "--set", "training.epochs=4").ShouldBe(3);
        File.ReadAllText(bench.At("run", "summary.json")).ShouldBe(summary);
        bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(0, bench.Error);
        bench.Out.ShouldContain("completed 4 epochs, 16 steps");
    }

    /// <summary>Everything in the run folder.</summary>
    private static Dictionary<string, string> Contents(Bench bench) => Directory
        .EnumerateFiles(bench.At("run"), "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(bench.At("run"), file), file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))));
}
