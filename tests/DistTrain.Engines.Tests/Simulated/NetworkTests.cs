using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Protocol.Actors;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Simulated;

public sealed class NetworkTests
{
    private const long Header = SimulatedNetwork.HeaderBytes;

    [Fact]
    public void AMessageTakesItsBytesOverTheBandwidthAndTheLatency()
    {
        // 1 byte a nanosecond, 5 microseconds: 10,000 bytes and the header, then the way.
        SimulatedNetwork network = Network(new SimulationSettings { BandwidthBytesPerSecond = 1e9, Latency = TimeSpan.FromMicroseconds(5) });
        network.Send(100, 0, 1, 10_000, out _).ShouldBe(100 + 10_000 + Header + 5_000);

        // The next one waits until the wire is free; the other direction and other nodes have wires of their own.
        network.Send(200, 0, 1, 1_000, out _).ShouldBe(100 + 10_000 + Header + 1_000 + Header + 5_000);
        network.Send(200, 1, 0, 1_000, out _).ShouldBe(200 + 1_000 + Header + 5_000);
        network.Send(200, 0, 2, 0, out _).ShouldBe(200 + Header + 5_000);
    }

    [Fact]
    public void OnOneNodeAMessageArrivesAtOnce()
    {
        SimulatedNetwork network = new(new SimulationSettings { Drop = 0.9 }, 1, [0, 0], 1);
        network.Send(7, 0, 1, 1 << 20, out long second).ShouldBe(7);
        second.ShouldBe(-1);
    }

    [Fact]
    public void JitterIsDrawnFromTheSeedAndOvertakesNothing()
    {
        SimulationSettings settings = new() { Jitter = TimeSpan.FromMilliseconds(1), BandwidthBytesPerSecond = 0, Latency = TimeSpan.Zero };
        long[] Arrivals(SimulationSettings with)
        {
            SimulatedNetwork network = Network(with);
            return [.. Enumerable.Range(0, 200).Select(i => network.Send(i * 10_000, 0, 1, 0, out _))];
        }

        long[] arrivals = Arrivals(settings);
        arrivals.ShouldBe(arrivals.Order());
        arrivals.Select((at, i) => at - (i * 10_000)).ShouldAllBe(delay => delay >= 0 && delay <= 1_000_000);
        arrivals.Distinct().Count().ShouldBeGreaterThan(20);
        Arrivals(settings).ShouldBe(arrivals);
        Arrivals(settings with { Seed = 2 }).ShouldNotBe(arrivals);
    }

    [Fact]
    public void OnlyWhatMayBeOvertakenIsOvertaken()
    {
        SimulationSettings settings = new() { Reorder = 0.5, ReorderWindow = TimeSpan.FromMilliseconds(1), Latency = TimeSpan.Zero };
        SimulatedNetwork network = Network(settings);
        long[] arrivals = [.. Enumerable.Range(0, 500).Select(i => network.Send(i * 1_000, 0, 1, 0, out _))];
        arrivals.SequenceEqual(arrivals.Order()).ShouldBeFalse();
    }

    [Fact]
    public void LossesAndCopiesComeInTheirShares()
    {
        SimulatedNetwork network = Network(new SimulationSettings { Drop = 0.05, Duplicate = 0.2 });
        int lost = 0, doubled = 0;
        const int sent = 20_000;
        for (int i = 0; i < sent; i++)
        {
            lost += network.Send(i, 0, 1, 0, out long second) < 0 ? 1 : 0;
            doubled += second >= 0 ? 1 : 0;
        }

        // Five standard deviations of a binomial draw are 0.8 and 1.4 percent.
        (lost / (double)sent).ShouldBe(0.05, 0.008);
        (doubled / (double)sent).ShouldBe(0.2 * 0.95, 0.014);
    }

    [Fact]
    public void APartitionKeepsGroupsApartForItsTime()
    {
        SimulatedNetwork network = Network(new SimulationSettings());
        network.Add(new PartitionFault([[new ActorId(0)], [new ActorId(1)]], TimeSpan.FromMicroseconds(1)), now: 1_000);
        network.Send(999, 0, 1, 0, out _).ShouldBeGreaterThan(0);
        network.Send(1_000, 0, 1, 0, out _).ShouldBe(-1);
        network.Send(1_999, 1, 0, 0, out _).ShouldBe(-1);
        network.Send(1_500, 0, 2, 0, out _).ShouldBeGreaterThan(0);
        network.Send(2_000, 0, 1, 0, out _).ShouldBeGreaterThan(0);
        network.IsCut(1, 0, 1_500, out long until).ShouldBeTrue();
        until.ShouldBe(2_000);
    }

    [Fact]
    public void ALinkFaultHarmsItsLinkAlone()
    {
        SimulatedNetwork network = Network(new SimulationSettings { Latency = TimeSpan.Zero, BandwidthBytesPerSecond = 0 });
        network.Add(
            new LinkFault(null, new ActorId(1)) { DelayMin = TimeSpan.FromMicroseconds(10), DelayMax = TimeSpan.FromMicroseconds(20), For = TimeSpan.FromMilliseconds(1) },
            now: 0);
        network.Send(0, 0, 1, 0, out _).ShouldBeInRange(10_000, 20_000);
        network.Send(0, 1, 0, 0, out _).ShouldBe(0);
        network.Send(1_000_000, 2, 1, 0, out _).ShouldBe(1_000_000);
    }

    private static SimulatedNetwork Network(SimulationSettings settings) => new(settings, 1, [0, 1, 2], 3);
}
