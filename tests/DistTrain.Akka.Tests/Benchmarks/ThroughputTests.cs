using System.Diagnostics;
using System.Globalization;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Akka.Tests.Benchmarks;

/// <summary>
/// Figures between two node processes, not verdicts on them: run with DISTTRAIN_BENCHMARK=1 and a logger that prints output, on a machine
/// that does nothing else. Without it they run short, to be known to work.
/// </summary>
[Trait("Length", "long")]
public sealed class ThroughputTests(ITestOutputHelper output)
{
    private static readonly bool Measures = Environment.GetEnvironmentVariable("DISTTRAIN_BENCHMARK") == "1";
    private static readonly long BytesEach = Measures ? 1L << 30 : 32L << 20;
    private static readonly TimeSpan LoadFor = TimeSpan.FromSeconds(Measures ? 20 : 4);

    [Fact]
    public void TensorsOverStreamsBesideRawTcp()
    {
        using TwoNodes nodes = new();
        foreach (int size in new[] { 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20 })
        {
            double raw = Best(() => nodes.Bare(size, BytesEach));
            double stream = Best(() => nodes.Stream(size, BytesEach, secured: false)), secured = Best(() => nodes.Stream(size, BytesEach, secured: true));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{size >> 10,6} KB: raw TCP {raw,6:F0} MB/s, stream {stream,6:F0} MB/s ({stream / raw:F2}), with TLS {secured,6:F0} MB/s ({secured / raw:F2})"));
            stream.ShouldBeGreaterThan(0);
        }

        nodes.Suspected.ShouldBeEmpty();
    }

    [Fact]
    public async Task NobodyIsSuspectedUnderFullLoadAndASmallProbeIsAnswered()
    {
        using TwoNodes nodes = new();
        await nodes.ProbeAsync();
        using CancellationTokenSource enough = new();
        double loaded = 0;
        Task load = Task.Factory.StartNew(
            () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    loaded = nodes.Stream(4 << 20, 256L << 20, secured: false);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        List<double> times = [];
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < LoadFor;)
        {
            times.Add(await nodes.ProbeAsync());
            await Task.Delay(5);
        }

        await enough.CancelAsync();
        await load;
        times.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"probe beside {loaded:F0} MB/s of 4 MB tensors: median {times[times.Count / 2]:F2} ms, p99 {times[times.Count * 99 / 100]:F2} ms, most {times[^1]:F2} ms of {times.Count}; "
            + $"suspected members: {nodes.Suspected.Count}"));
        nodes.Suspected.ShouldBeEmpty();
    }

    private static double Best(Func<double> measure) => Enumerable.Range(0, Measures ? 3 : 1).Max(_ => measure());
}
