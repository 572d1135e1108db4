using DistTrain.Commands.Experiments;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;
using DistTrain.Protocol.Actors;

namespace DistTrain.Commands.Tests;

public sealed class FaultsSectionTests : IDisposable
{
    // Actors: coordinator 0, layer-0 1, layer-1 2, parameter-server 3.
    private const string Everything =
        """

        engine: simulated
        faults:
          - { at: step 3, crash: layer-1, restart-after: 2s }
          - { at: 3s, partition: [[coordinator, layer-0], [layer-1]], for: 5s }
          - { link: "* -> layer-1", drop: 1%, duplicate: 0.02, delay: 5ms..50ms, reorder: true }
          - { replica: 0, byzantine: sign-flip }
          - { at: step 4, slow: layer-0, factor: 10, for: 20s }
          - { at: step 7, crash: parameter-server, during: snapshot }
          - { at: 10ms, suspect: layer-1 }
          - { at: step 9, pause: layer-1, for: 3s }
          - { crash: layer-0, restart-after: never }
          - { disk: parameter-server, torn-write: true }
          - { disk: parameter-server, full: true, at: 1s }
          - { slow: layer-1, factor: 3, until-replaced: true }
        backup-after: 7ms
        """;

    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void EveryFormOfAFaultReachesItsRecordAndReadsBackTheSame()
    {
        Experiment read = Read(Bench.Good + Everything);
        ShouldBeEverything(read);
        string written = ExperimentWriter.Write(read);
        ShouldBeEverything(Read(written));
        ExperimentWriter.Write(Read(written)).ShouldBe(written);
    }

    [Fact]
    public void AStarCrashesEveryActor() => Read(Bench.Good + "\nengine: simulated\nfaults: [{ crash: \"*\", at: 1s, restart-after: 5s }]").Faults
        .Select(fault => ((CrashFault)fault).Actor.Index).ShouldBe([0, 1, 2, 3]);

    [Fact]
    public void ReplicasAndShardsHaveTheNamesOfTheTopology()
    {
        const string text = "\nreplicas: 2\nparameter-server: { shards: 2 }\nfaults: [{ crash: layer-1/replica-1 }, { crash: parameter-server-1 }]";
        Read(Bench.Good + text).Faults.Select(fault => ((CrashFault)fault).Actor.Index).ShouldBe([4, 6]);
    }

    [Theory]
    [InlineData("{ crsh: layer-1 }", "faults[0]: nothing here says what goes wrong; expected exactly one of crash, pause, suspect, partition, link, slow, byzantine, disk, lose-node, join-nodes or leave-node; did you mean 'crash'?")]
    [InlineData("{ crash: layer-1, slow: layer-1 }", "faults[0]: 'crash' and 'slow' are two faults in one item")]
    [InlineData("layer-1", "faults[0]: 'layer-1' is not a fault; expected a fault such as { at: step 120")]
    [InlineData("{ crash: layr-1 }", "faults[0].crash: 'layr-1' is no actor of this run; expected layer-1, layer-0, ")]
    [InlineData("{ crash: layr-1 }", "did you mean 'layer-1'?")]
    [InlineData("{ crash: layer-1, at: step 0 }", "faults[0].at: 'step 0' is not a moment of the run; expected a step such as `step 120`, or a time such as 3s")]
    [InlineData("{ crash: layer-1, restart-after: soon }", "faults[0].restart-after: 'soon' is not a duration; expected a duration such as 2s, or never")]
    [InlineData("{ crash: layer-1, during: step }", "faults[0].during: 'step' is not known; expected snapshot")]
    [InlineData("{ crash: layer-1, restart-aftr: 1s }", "faults[0].restart-aftr: there is no such key; expected restart-after, ")]
    [InlineData("{ partition: [[layer-0]], for: 1s }", "faults[0].partition: this is no partition; expected at least two groups")]
    [InlineData("{ partition: [[layer-0], [layer-1]] }", "faults[0].for: this key is missing; expected a duration such as 5s")]
    [InlineData("{ partition: [[layer-0], [layer-0]], for: 1s }", "faults[0].partition: layer-0 is named twice")]
    [InlineData("{ link: layer-0 }", "faults[0].link: this is no link; expected two actors, such as")]
    [InlineData("{ link: \"* -> layer-1\", drop: 120% }", "faults[0].drop: '120%' is no share of messages; expected a share such as 1% or 0.01, from 0 to 1")]
    [InlineData("{ link: \"* -> layer-1\", delay: 9ms..5ms }", "faults[0].delay: '9ms..5ms' is no delay; expected a delay such as 5ms, or a range such as 5ms..50ms")]
    [InlineData("{ slow: layer-1 }", "faults[0].factor: this key is missing; expected a number from 1 to 1000000")]
    [InlineData("{ slow: layer-1, factor: 1e300 }", "faults[0].factor: 1e300 is out of range; expected a number from 1 to 1000000")]
    [InlineData("{ link: \"* -> layer-1\", delay: 8000h }", "faults[0].delay: '8000h' is no delay; expected a delay such as 5ms, or a range such as 5ms..50ms, of at most 1h")]
    [InlineData("{ disk: parameter-server }", "faults[0].disk: nothing, or too much, is wrong with this disk; expected torn-write: true or full: true")]
    [InlineData("{ slow: layer-1, factor: 0.5 }", "faults[0].factor: 0.5 is out of range; expected a number from 1 to 1000000")]
    [InlineData("{ replica: 3, byzantine: sign-flip }", "faults[0].replica: 3 is out of range")]
    [InlineData("{ replica: 0, byzantine: }", "faults[0].byzantine: ")]
    [InlineData("{ join-nodes: }", "faults[0].join-nodes: ")]
    public void WhatIsWrongIsNamedWithItsLine(string fault, string message)
    {
        _bench.RunChanged("seed: 3", $"faults: [{fault}]").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:2: faults[0]");
        _bench.Error.ShouldContain(message);
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("simulated", "{ disk: layer-1, full: true }", "layer-1 keeps nothing on a disk; expected the coordinator or a parameter server")]
    [InlineData("simulated", "{ at: step 1, suspect: coordinator }", "nobody suspects the coordinator of a fault; expected another actor")]
    [InlineData("threads", "{ disk: parameter-server, full: true }", "engine threads does not serve 'disk' faults")]
    [InlineData("processes", "{ disk: parameter-server, full: true }", "engine processes does not serve 'disk' faults")]
    [InlineData("simulated", "{ crash: layer-1, during: snapshot }", "layer-1 has no part in snapshots; expected the coordinator or a parameter server, or no 'during'")]
    [InlineData("threads", "{ link: \"* -> *\", drop: 1% }", "engine threads does not serve 'link' faults; expected crash, pause, suspect or slow, or engine: simulated")]
    [InlineData("threads", "{ partition: [[layer-0], [layer-1]], for: 1s }", "engine threads does not serve 'partition' faults")]
    [InlineData("simulated", "{ pause: layer-1, for: 1s }", "engine simulated does not serve 'pause' faults")]
    [InlineData("processes", "{ slow: layer-1, factor: 2 }", "engine processes does not serve 'slow' faults; expected crash, pause or suspect, or engine: simulated")]
    [InlineData("processes", "{ crash: parameter-server, during: snapshot }", "engine processes cannot time a crash within a snapshot")]
    public void AnEngineRefusesByNameAndLineWhatItCannotDo(string engine, string fault, string message)
    {
        _bench.Write("my.yaml", Bench.Good + $"\nengine: {engine}\nfaults:\n  - {{ replica: 0, byzantine: sign-flip }}\n  - {fault}\n");
        CommandApp.Run(["train", "my.yaml"], [new ThreadsEngine(), new SimulatedEngine(), new ProcessesEngine()], _bench.Host).ShouldBe(2);
        _bench.Error.ShouldContain($"my.yaml:16: faults[1]: {message}");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    /// <summary>A study would have nothing to show; whoever trains fewer epochs than the faults were made for is told.</summary>
    [Fact]
    public void AStepThatTheRunDoesNotHaveIsNamedWithItsLastStep()
    {
        const string problem = "faults[1].at: step 3000 never comes, for the run ends with step 8; expected step 1 to 8";
        _bench.Write("my.yaml", Bench.Good + "\nengine: simulated\nfaults:\n  - { at: step 8, crash: layer-1 }\n  - { at: step 3000, crash: \"*\" }\n");
        _bench.RunOn([new SimulatedEngine()], "study", "faults", "my.yaml").ShouldBe(2);
        _bench.Error.ShouldContain($"my.yaml:16: {problem}");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
        _bench.RunOn([new SimulatedEngine()], "train", "my.yaml").ShouldBe(0, _bench.Error);
        _bench.Error.ShouldContain($"note: {problem}");
    }

    [Theory]
    [InlineData("engine: processes\nbackup-after: 5ms", "my.yaml:14: backup-after: engine processes starts no backups for stragglers; expected threads or simulated, or no backup-after")]
    [InlineData("engine: processes\nparameter-server: { copies: 2 }", "my.yaml:14: parameter-server.copies: 2: ")]
    [InlineData("engine: simulated\nbackup-after: 5ms\nsimulation: { machine: this }", "backup-after: ")]
    [InlineData("engine: simulated\nbackup-after: soon", "my.yaml:14: backup-after: 'soon' is not a duration")]
    [InlineData("engine: simulated\nbackup-after: -1s", "my.yaml:14: backup-after: '-1s' is not a duration")]
    public void AWrongBackupIsRefusedByNameAndLine(string text, string message)
    {
        _bench.Write("my.yaml", Bench.Good + $"\n{text}\n");
        CommandApp.Run(["train", "my.yaml"], [new ThreadsEngine(), new SimulatedEngine(), new ProcessesEngine()], _bench.Host).ShouldBe(2);
        _bench.Error.ShouldContain(message);
    }

    private static void ShouldBeEverything(Experiment read)
    {
        ActorId coordinator = ActorId.Coordinator, first = new(1), last = new(2), server = new(3);
        FaultTime second = FaultTime.AfterTime(TimeSpan.FromSeconds(1));
        read.Byzantine.ShouldBe([new ByzantineReplica(0, -1)]);
        Fault[] faults = [.. read.Faults.Select(fault => fault with { Item = -1 })];
        faults.Length.ShouldBe(11);
        faults[0].ShouldBe(new CrashFault(last, TimeSpan.FromSeconds(2)) { At = FaultTime.AtStep(3) });
        PartitionFault partition = faults[1].ShouldBeOfType<PartitionFault>();
        partition.At.ShouldBe(FaultTime.AfterTime(TimeSpan.FromSeconds(3)));
        partition.For.ShouldBe(TimeSpan.FromSeconds(5));
        partition.Groups.ShouldBe([[coordinator, first], [last]]);
        faults[2].ShouldBe(new LinkFault(null, last)
        {
            Drop = 0.01, Duplicate = 0.02, DelayMin = TimeSpan.FromMilliseconds(5), DelayMax = TimeSpan.FromMilliseconds(50), Reorder = true,
        });
        faults[3].ShouldBe(new SlowFault(first, 10, TimeSpan.FromSeconds(20)) { At = FaultTime.AtStep(4) });
        faults[4].ShouldBe(new CrashFault(server, TimeSpan.Zero) { At = FaultTime.AtStep(7), DuringSnapshot = true });
        faults[5].ShouldBe(new SuspicionFault(last) { At = FaultTime.AfterTime(TimeSpan.FromMilliseconds(10)) });
        faults[6].ShouldBe(new PauseFault(last, TimeSpan.FromSeconds(3)) { At = FaultTime.AtStep(9) });
        faults[7].ShouldBe(new CrashFault(first, null));
        faults[8].ShouldBe(new DiskFault(server, DiskProblem.TornWrite));
        faults[9].ShouldBe(new DiskFault(server, DiskProblem.Full) { At = second });
        faults[10].ShouldBe(new SlowFault(last, 3, null) { UntilReplaced = true });
        read.Settings.BackupAfter.ShouldBe(TimeSpan.FromMilliseconds(7));
    }

    private static Experiment Read(string text) =>
        ExperimentLoader.Parse(new ExperimentSource(text, "test", "/", "test"), Overrides.None, engines: null).Experiment;
}
