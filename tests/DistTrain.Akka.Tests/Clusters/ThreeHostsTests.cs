using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Akka.Tests.Clusters;

/// <summary>Three hosts in network namespaces of their own, on one bridge. Needs root; delay and loss need netem in the kernel.</summary>
[Trait("Length", "long")]
public sealed class ThreeHostsTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void ThreeHostsOnASlowNetworkTrainTheSameWeights()
    {
        using Hosts hosts = Hosts.CreateSlow();
        hosts.Begin();
        string experiment = Experiments.Narrow(epochs: 8);
        long start = Stopwatch.GetTimestamp();
        using NodeProcess client = hosts.Train(experiment);
        JsonElement summary = hosts.Finish(client);
        Tell(hosts, summary, Stopwatch.GetElapsedTime(start));
        TestCluster.Weights(summary).ShouldBe(hosts.OnThreads(experiment));

        // Delay and loss are no fault: nobody was suspected, and no committed step was taken back.
        summary.GetProperty("restarts").GetInt32().ShouldBe(0);
        summary.GetProperty("steps_redone").GetInt64().ShouldBe(0);
        hosts.Nodes.SelectMany(node => node.Lines).ShouldNotContain(line => line.Contains("is unreachable", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("coordinator")]
    [InlineData("parameter-server-0")]
    public void OnASlowNetworkTheLossOfAHostWithItsDiskTakesNoCommittedStepBack(string actor)
    {
        const int steps = 16;
        using Hosts hosts = Hosts.CreateSlow();
        hosts.Begin();
        string experiment = Experiments.Narrow(epochs: 24);
        long start = Stopwatch.GetTimestamp();
        using NodeProcess client = hosts.Train(experiment);
        hosts.Lose(hosts.HostOf(actor, steps));
        JsonElement summary = hosts.Finish(client);
        Tell(hosts, summary, Stopwatch.GetElapsedTime(start));
        TestCluster.Weights(summary).ShouldBe(hosts.OnThreads(experiment));
        summary.GetProperty("steps_redone").GetInt64().ShouldBeLessThan(steps);
        summary.GetProperty("restarts").GetInt32().ShouldBeGreaterThan(0);
    }

    [SkippableTheory]
    [InlineData("coordinator")]
    [InlineData("layer-2/replica-0")]
    public void TheSideWithMostHostsGoesOnAndTheOtherStops(string cutOff)
    {
        using Hosts hosts = Hosts.Create();
        hosts.Begin();
        string experiment = Experiments.Wide(epochs: 120, checkpointEvery: 1_000_000, copies: 2);
        using NodeProcess client = hosts.Train(experiment);
        int host = hosts.HostOf(cutOff, step: 20);
        long cutAt = Stopwatch.GetTimestamp();
        hosts.Cut(host);
        hosts.Nodes[host].WaitForExit(TestCluster.Patience).ShouldBeTrue();
        hosts.Nodes[host].ExitCode.ShouldBe(3);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the side with one host stopped after {Stopwatch.GetElapsedTime(cutAt).TotalSeconds:F1} s"));
        JsonElement summary = hosts.Finish(client);
        TestCluster.Weights(summary).ShouldBe(hosts.OnThreads(experiment));
        summary.GetProperty("restarts").GetInt32().ShouldBeGreaterThan(0);
    }

    [SkippableFact]
    public void WhenEveryHostIsAloneAllStop()
    {
        using Hosts hosts = Hosts.Create();
        hosts.Begin();
        using NodeProcess client = hosts.Train(Experiments.Wide(epochs: 10_000, copies: 2));
        hosts.HostOf("coordinator", step: 10);
        for (int host = 0; host < hosts.Nodes.Count; host++)
        {
            hosts.Cut(host);
        }

        foreach (NodeProcess node in hosts.Nodes)
        {
            node.WaitForExit(TestCluster.Patience).ShouldBeTrue();
            node.ExitCode.ShouldBe(3);
        }

        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(3);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    public void APartitionThatHealsInTimeCostsNothingButTime(int hostsCutOff)
    {
        using Hosts hosts = Hosts.Create();
        hosts.Begin();
        string experiment = Experiments.Wide(epochs: 120, copies: 2);
        using NodeProcess client = hosts.Train(experiment);
        int first = hosts.HostOf("layer-2/replica-0", step: 20);
        int[] cutOff = [.. Enumerable.Range(first, hostsCutOff).Select(host => host % hosts.Nodes.Count)];
        Array.ForEach(cutOff, hosts.Cut);
        hosts.Wait(TimeSpan.FromSeconds(1));
        Array.ForEach(cutOff, hosts.Heal);
        JsonElement summary = hosts.Finish(client);
        TestCluster.Weights(summary).ShouldBe(hosts.OnThreads(experiment));
        summary.GetProperty("steps_redone").GetInt64().ShouldBe(0);
        hosts.Nodes.ShouldAllBe(node => node.Lives);
    }

    private void Tell(Hosts hosts, JsonElement summary, TimeSpan took) => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"20 ms and 1 % loss by {(hosts.Packets is (long carried, long dropped) ? $"user space ({carried} packets carried, {dropped} dropped)" : "netem")}: "
        + $"{summary.GetProperty("steps").GetInt64()} steps in {took.TotalSeconds:F1} s, {summary.GetProperty("steps_redone").GetInt64()} redone"));
}
