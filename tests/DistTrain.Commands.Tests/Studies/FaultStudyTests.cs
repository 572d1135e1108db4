using System.Text.Json;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;

namespace DistTrain.Commands.Tests.Studies;

public sealed class FaultStudyTests : IDisposable
{
    private static readonly IEngine[] Engines = [new ThreadsEngine(), new SimulatedEngine(), new ProcessesEngine()];

    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("simulated", "{ at: step 3, crash: layer-1, restart-after: 2s }")]
    [InlineData("simulated", "{ at: step 4, crash: parameter-server, during: snapshot }")]
    [InlineData("simulated", "{ at: step 3, crash: coordinator, restart-after: 1s }")]
    [InlineData("simulated", "{ at: step 3, crash: \"*\", restart-after: 1s }")]
    [InlineData("simulated", "{ at: 1ms, partition: [[coordinator, layer-0], [layer-1]], for: 3s }")]
    [InlineData("simulated", "{ link: \"* -> *\", drop: 5%, duplicate: 5%, delay: 1ms..9ms, reorder: true }")]
    [InlineData("threads", "{ at: step 3, crash: layer-1 }")]
    [InlineData("threads", "{ at: step 3, crash: parameter-server, restart-after: 50ms }")]
    [InlineData("threads", "{ at: step 3, suspect: layer-0 }")]
    public void ASurvivableFaultLosesNoStepAndChangesNoBit(string engine, string fault)
    {
        Study(engine, fault).ShouldBe(0, _bench.Error);
        using JsonDocument study = JsonDocument.Parse(_bench.Out);
        JsonElement root = study.RootElement;
        root.GetProperty("steps_lost").GetInt64().ShouldBe(0);
        root.GetProperty("weights_equal").GetBoolean().ShouldBeTrue();
        root.GetProperty("weights_must_be_equal").GetBoolean().ShouldBeTrue();
        root.GetProperty("broken").GetArrayLength().ShouldBe(0);
        root.GetProperty("never_began").GetArrayLength().ShouldBe(0);
        root.GetProperty("with_faults").GetProperty("steps").GetInt64().ShouldBe(root.GetProperty("without_faults").GetProperty("steps").GetInt64());
        root.GetProperty("faults").GetArrayLength().ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("step")]
    [InlineData("power")]
    public void OnThreadsARunThatKeepsALogIsComparedAndLeavesNoneBehind(string durability)
    {
        _bench.Write("my.yaml", Bench.Good + $"\ndurability: {durability}\nengine: threads\nfaults: [{{ at: step 3, crash: \"*\", restart-after: 0s }}]\n");
        _bench.RunOn(Engines, "study", "faults", "my.yaml", "--out", "out", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument study = JsonDocument.Parse(_bench.Out);
        study.RootElement.GetProperty("steps_lost").GetInt64().ShouldBe(0);
        study.RootElement.GetProperty("weights_equal").GetBoolean().ShouldBeTrue();
        Directory.GetDirectories(_bench.At("out")).ShouldBeEmpty();
    }

    /// <summary>The clock is the simulator's: the machine that is slow costs what it takes to notice that, and not what it takes.</summary>
    [Fact]
    public void ABackupTakesTheTimeOfAStragglerAway()
    {
        double SlowDown(string backup, bool hasBackup)
        {
            const string Straggler = "replicas: 2\nengine: simulated\nfaults: [{ at: step 3, slow: layer-0/replica-1, factor: 5000, until-replaced: true }]\n";
            _bench.Write("my.yaml", Bench.Good + $"\n{backup}\n{Straggler}");
            _bench.RunOn(Engines, "study", "faults", "my.yaml", "--out", hasBackup ? "with" : "without", "--json").ShouldBe(0, _bench.Error);
            using JsonDocument study = JsonDocument.Parse(_bench.Out);
            study.RootElement.GetProperty("weights_equal").GetBoolean().ShouldBeTrue();
            study.RootElement.GetProperty("with_faults").GetProperty("recoveries").GetInt64().ShouldBe(hasBackup ? 1 : 0);
            return study.RootElement.GetProperty("slow_down").GetDouble();
        }

        double without = SlowDown("", hasBackup: false), with = SlowDown("backup-after: 1ms", hasBackup: true);
        without.ShouldBeGreaterThan(5 * with);
    }

    [Fact]
    public void AFaultAtAStepIsTimedFromItsIssueToTheNextCommittedStep()
    {
        Study("simulated", "{ at: step 3, crash: layer-1, restart-after: 2s }").ShouldBe(0, _bench.Error);
        using JsonDocument study = JsonDocument.Parse(_bench.Out);
        JsonElement fault = study.RootElement.GetProperty("faults")[0];
        fault.GetProperty("recovery_seconds").GetDouble().ShouldBeGreaterThanOrEqualTo(2);
        study.RootElement.GetProperty("steps_redone").GetInt64().ShouldBeInRange(1, 2);
        study.RootElement.GetProperty("slow_down").GetDouble().ShouldBeGreaterThan(1);
        File.ReadAllLines(_bench.At("out", "faults.csv"))[0].ShouldBe("fault,at_seconds,recovery_seconds");
        File.Exists(_bench.At("out", "study.json")).ShouldBeTrue();
        File.ReadAllText(_bench.At("out", "experiment.yaml")).ShouldContain("crash: layer-1");
    }

    [Fact]
    public void ARunThatDoesNotSurviveEndsWithThreeAndSaysWhoWaits()
    {
        Study("simulated", "{ at: step 3, crash: layer-1, restart-after: never }").ShouldBe(3);
        using JsonDocument study = JsonDocument.Parse(_bench.Out);
        study.RootElement.GetProperty("broken")[0].GetString()!.ShouldContain("layer-1");
    }

    [Fact]
    public void AFaultThatNeverBeganIsNamedAndTheStudyDoesNotHold()
    {
        const string Faults = "[{ at: step 3, crash: layer-1 }, { at: 3h, crash: layer-1 }, { at: 4h, suspect: layer-0 }]";
        Study("simulated", Faults[1..^1]).ShouldBe(1);
        using JsonDocument study = JsonDocument.Parse(_bench.Out);
        study.RootElement.GetProperty("never_began").EnumerateArray().Select(fault => fault.GetString())
            .ShouldBe(["layer-1 crashes (at 3h)", "layer-0 is suspected (at 4h)"]);
        study.RootElement.GetProperty("faults").GetArrayLength().ShouldBe(1);
        study.RootElement.GetProperty("broken").GetArrayLength().ShouldBe(0);

        _bench.Write("my.yaml", Bench.Good + $"\nengine: simulated\nfaults: {Faults}\n");
        _bench.RunOn(Engines, "study", "faults", "my.yaml", "--out", "text").ShouldBe(1, _bench.Error);
        string[] missed = [.. _bench.Out.Split('\n').Where(line => line.StartsWith("never began: ", StringComparison.Ordinal))];
        missed.Length.ShouldBe(2);
        missed[0].ShouldStartWith("never began: layer-1 crashes (at 3h); the run ended after ");
        missed[0].TrimEnd().ShouldEndWith("with step 8");
        missed[1].ShouldStartWith("never began: layer-0 is suspected (at 4h)");
    }

    [Fact]
    public void FalsifiedContributionsPromiseNoBits()
    {
        string file = Bench.Good + "\nengine: simulated\nreplicas: 5\nparameter-server: { aggregate: median }\nfaults: [{ replica: 1, byzantine: sign-flip }]\n";
        Run(file).ShouldBe(0, _bench.Error);
        using JsonDocument study = JsonDocument.Parse(_bench.Out);
        study.RootElement.GetProperty("weights_must_be_equal").GetBoolean().ShouldBeFalse();
        study.RootElement.GetProperty("weights_equal").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public void AnExperimentWithoutFaultsIsRefused()
    {
        _bench.Write("my.yaml", Bench.Good);
        CommandApp.Run(["study", "faults", "my.yaml"], Engines, _bench.Host).ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml: faults: nothing goes wrong in this experiment; expected a list such as");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void EveryExampleOfAFaultIsRead()
    {
        string[] examples = Directory.GetFiles(Path.Combine(Above("examples"), "faults"), "*.yaml");
        examples.Length.ShouldBe(13);
        foreach (string example in examples)
        {
            CommandApp.Run(["doctor", example], Engines, _bench.Host).ShouldBe(0, _bench.Error);
        }
    }

    [Theory]
    [InlineData("disttrain soak: --seeds 0 is out of range", "--seeds", "0")]
    [InlineData("disttrain soak: --seed is one seed alone", "--seeds", "3", "--seed", "2")]
    [InlineData("disttrain soak: --seed is one seed alone", "--from", "3", "--seed", "2")]
    [InlineData("disttrain soak: --from 'x' is not a seed; expected a whole number", "--from", "x")]
    [InlineData("disttrain soak: --seed '-2x' is not a seed", "--seed=-2x")]
    [InlineData("disttrain soak: --minutes is out of range", "--minutes", "0")]
    public void WhatSoakCannotUseIsRefused(string message, params string[] options)
    {
        CommandApp.Run(["soak", .. options], Engines, _bench.Host).ShouldBe(2);
        _bench.Error.ShouldContain(message);
    }

    [Fact]
    public void SoakSaysHowManySeedsHeldAndWhatWentWrongInThem()
    {
        CommandApp.Run(["soak", "--seeds", "12"], Engines, _bench.Host).ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain("12 seeds in ");
        _bench.Out.ShouldContain("every guarantee held");
        _bench.Out.ShouldContain("faults: crash ");
    }

    [Fact]
    public void SoakGoesOnFromTheSeedThatItIsTold()
    {
        string Faults(params string[] options)
        {
            CommandApp.Run(["soak", .. options], Engines, _bench.Host).ShouldBe(0, _bench.Error);
            return _bench.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Last(line => line.StartsWith("faults:", StringComparison.Ordinal));
        }

        string alone = Faults("--seed", "4711");
        Faults("--from", "4711", "--seeds", "1").ShouldBe(alone);
        Faults("--seeds", "1").ShouldNotBe(alone);
    }

    private static string Above(string name)
    {
        DirectoryInfo at = new(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(at.FullName, name)))
        {
            at = at.Parent ?? throw new DirectoryNotFoundException(name);
        }

        return Path.Combine(at.FullName, name);
    }

    private int Study(string engine, string fault) =>
        Run(Bench.Good + $"\nengine: {engine}\ncheckpoint: {{ every-steps: 2 }}\npatience: 30s\nfaults: [{fault}]\n");

    private int Run(string file)
    {
        _bench.Write("my.yaml", file);
        return CommandApp.Run(["study", "faults", "my.yaml", "--out", "out", "--json"], Engines, _bench.Host);
    }
}
