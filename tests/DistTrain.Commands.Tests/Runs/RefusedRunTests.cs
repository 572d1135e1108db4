using DistTrain.Engines;
using DistTrain.Numerics;

namespace DistTrain.Commands.Tests.Runs;

public sealed class RefusedRunTests
{
    [Fact]
    public void ARunThatItsEngineRefusesLeavesItsNameFree()
    {
        using Bench bench = new() { Engine = new FakeEngine { Throws = new InvalidInputException("engine: not this one") } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run").ShouldBe(2);
        bench.Error.ShouldContain("engine: not this one");
        bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    public void ASummaryThatCannotBeReadStopsNoResume(string summary)
    {
        using Bench bench = new() { Engine = new FakeEngine { StopAt = 3 } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0, bench.Error);
        File.WriteAllText(bench.At("run", "summary.json"), summary);
        bench.RunOn([new FakeEngine()], "train", "--resume", "run").ShouldBe(0, bench.Error);
        bench.Error.ShouldContain("is left out, and written anew at the end");
        File.ReadAllText(bench.At("run", "summary.json")).ShouldContain("\"status\": \"completed\"");
    }

    [Fact]
    public void WorkersAreRefusedByAnEngineWithoutProcesses()
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--workers", "2").ShouldBe(2);
        bench.Error.ShouldContain("--workers 2: engine threads has no worker processes; expected --engine processes");
    }

    [Fact]
    public void WhatARunHasCommittedStaysWhateverItEndsWith()
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        bench.RunOn([new LateRefusal()], "train", "my.yaml", "--out", "run").ShouldBe(2);
        Directory.EnumerateFileSystemEntries(bench.At("run", "journal")).ShouldNotBeEmpty();
    }

    /// <summary>Finds only after some steps that something cannot be read.</summary>
    private sealed class LateRefusal : IEngine
    {
        private readonly FakeEngine _engine = new();

        public string Name => _engine.Name;

        public string? Refuses(RunRequest request) => null;

        public RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken stop)
        {
            _engine.Run(request, observer, stop);
            throw new InvalidInputException("a snapshot cannot be read");
        }
    }
}
