using DistTrain.Commands.Experiments;
using DistTrain.Engines.Simulated;

namespace DistTrain.Commands.Tests;

public sealed class SimulationSectionTests : IDisposable
{
    private const string Everything =
        """

        engine: simulated
        simulation:
          flops-per-second: 1e9
          backward-flops-per-second: 2e9
          memory-bytes-per-second: 3e9
          job-overhead: 4us
          message-overhead: 0s
          latency: 1.5ms
          bandwidth-bytes-per-second: 0
          jitter: 300us
          drop: 0.01
          duplicate: 0.02
          reorder: 0.03
          reorder-window: 7ms
          suspect-after: 2s
          persist: 1ms
          nodes: 3
          slots-per-node: 2
          timing-only: true
          journal: false
          seed: 12
          costs: { forward: 1ms, backward: 2ms, load: 3us, loss: 4us, update: 5us, other: 0.3us }
        """;

    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void EveryKeyReachesItsSettingAndReadsBackTheSame()
    {
        SimulationSettings expected = new()
        {
            FlopsPerSecond = 1e9,
            BackwardFlopsPerSecond = 2e9,
            MemoryBytesPerSecond = 3e9,
            JobOverhead = TimeSpan.FromMicroseconds(4),
            MessageOverhead = TimeSpan.Zero,
            Latency = TimeSpan.FromMicroseconds(1500),
            BandwidthBytesPerSecond = 0,
            Jitter = TimeSpan.FromMicroseconds(300),
            Drop = 0.01,
            Duplicate = 0.02,
            Reorder = 0.03,
            ReorderWindow = TimeSpan.FromMilliseconds(7),
            SuspectAfter = TimeSpan.FromSeconds(2),
            Persist = TimeSpan.FromMilliseconds(1),
            Nodes = 3,
            SlotsPerNode = 2,
            TimingOnly = true,
            Journal = false,
            Seed = 12,
            Costs = new DeclaredCosts(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2))
            {
                Load = TimeSpan.FromMicroseconds(3),
                Loss = TimeSpan.FromMicroseconds(4),
                Update = TimeSpan.FromMicroseconds(5),
                Other = TimeSpan.FromTicks(3),
            },
        };
        Experiment read = Read(Bench.Good + Everything);
        read.Simulation.ShouldBe(expected);
        Read(ExperimentWriter.Write(read)).Simulation.ShouldBe(expected);
    }

    [Fact]
    public void WhatIsNotSetHasItsDefault()
    {
        Read(Bench.Good).Simulation.ShouldBe(new SimulationSettings());
        Experiment read = Read(Bench.Good + "\nengine: simulated");
        read.Simulation.ShouldBe(new SimulationSettings());
        Read(ExperimentWriter.Write(read)).Simulation.ShouldBe(new SimulationSettings());
        ExperimentWriter.Write(Read(Bench.Good)).ShouldNotContain("simulation");
    }

    [Theory]
    [InlineData("latncy: 1ms", "simulation.latncy: there is no such key; expected latency, ")]
    [InlineData("latency: 5", "simulation.latency: '5' is not a duration; expected a number of at least 0 with its unit, such as 0s, 50us, 2ms or 1s")]
    [InlineData("latency: -1ms", "simulation.latency: '-1ms' is not a duration")]
    [InlineData("drop: 1", "simulation.drop: 1 is out of range; expected a number from 0 up to, but not, 1")]
    [InlineData("flops-per-second: 0", "simulation.flops-per-second: 0 is out of range; expected a number of at least 1000000")]
    [InlineData("flops-per-second: 1e-300", "simulation.flops-per-second: 1e-300 is out of range; expected a number of at least 1000000")]
    [InlineData("backward-flops-per-second: 1e-300", "simulation.backward-flops-per-second: 1e-300 is out of range; expected a number of at least 1000000")]
    [InlineData("memory-bytes-per-second: 1", "simulation.memory-bytes-per-second: 1 is out of range; expected a number of at least 1000000")]
    [InlineData("bandwidth-bytes-per-second: 1e-9", "simulation.bandwidth-bytes-per-second: 1e-9 is out of range; expected 0 for no limit, or a number of at least 1000")]
    [InlineData("job-overhead: 300h", "simulation.job-overhead: 300h is out of range; expected a duration from 0s to 1h")]
    [InlineData("message-overhead: 300h", "simulation.message-overhead: 300h is out of range")]
    [InlineData("latency: 8000h", "simulation.latency: 8000h is out of range; expected a duration from 0s to 1h")]
    [InlineData("jitter: 8000h", "simulation.jitter: 8000h is out of range")]
    [InlineData("reorder-window: 8000h", "simulation.reorder-window: 8000h is out of range")]
    [InlineData("suspect-after: 8000h", "simulation.suspect-after: 8000h is out of range")]
    [InlineData("persist: 8000h", "simulation.persist: 8000h is out of range")]
    [InlineData("costs: { forward: 8000h, backward: 1ms }", "simulation.costs.forward: 8000h is out of range; expected a duration from 0s to 1h")]
    [InlineData("slots-per-node: 0", "simulation.slots-per-node: 0 is out of range")]
    [InlineData("costs: { forward: 1ms }", "simulation.costs.backward: this key is missing; expected a duration of at least 0")]
    [InlineData("costs: { forward: 1ms, backward: 1ms, updates: 1ms }", "simulation.costs.updates: there is no such key; expected update, ")]
    public void WhatIsWrongIsNamedWithItsLine(string setting, string message)
    {
        _bench.RunChanged("seed: 3", $"simulation: {{ {setting} }}").ShouldBe(2);
        _bench.Error.ShouldContain($"my.yaml:2: {message}");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    private static Experiment Read(string text) =>
        ExperimentLoader.Parse(new ExperimentSource(text, "test", "/", "test"), Overrides.None, engines: null).Experiment;
}
