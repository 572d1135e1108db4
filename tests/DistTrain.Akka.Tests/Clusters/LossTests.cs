using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Akka.Tests.Clusters;

[Trait("Length", "long")]
public sealed class LossTests(ITestOutputHelper output)
{
    private const int EndlessEpochs = 120;

    [Theory]
    [InlineData("coordinator")]
    [InlineData("parameter-server-1")]
    [InlineData("layer-2/replica-0")]
    public void TheLossOfANodeWithItsDiskChangesNoBit(string actor)
    {
        using TestCluster cluster = new(3, suspects: true);
        string experiment = Experiments.Wide(EndlessEpochs);
        using NodeProcess client = cluster.BeginTraining(experiment);
        StatusReport status = cluster.WaitForStep(5);
        long killedAt = Stopwatch.GetTimestamp();
        cluster.Lose(cluster.NodeOf(status, actor));
        JsonElement summary = cluster.Finish(client);
        Tell(cluster, client, summary, $"{actor}, one copy", killedAt);
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));
        summary.GetProperty("restarts").GetInt32().ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("coordinator")]
    [InlineData("parameter-server-0")]
    [InlineData("parameter-server-1/copy-1")]
    public void WithTwoCopiesTheLossOfANodeWithItsDiskTakesNoCommittedStepBack(string actor)
    {
        const int never = 1_000_000, steps = 30;
        using TestCluster cluster = new(3, suspects: true);
        string experiment = Experiments.Wide(EndlessEpochs, never, copies: 2);
        using NodeProcess client = cluster.BeginTraining(experiment);
        StatusReport status = cluster.WaitForStep(steps);
        long killedAt = Stopwatch.GetTimestamp();
        cluster.Lose(cluster.NodeOf(status, actor));
        JsonElement summary = cluster.Finish(client);
        Tell(cluster, client, summary, $"{actor}, two copies", killedAt);
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));

        // What was issued and not committed is redone, and nothing else: there is no snapshot to go back to.
        summary.GetProperty("steps_redone").GetInt64().ShouldBeLessThan(steps);
        summary.GetProperty("restarts").GetInt32().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void ANodeThatLeavesInOrderHandsItsActorsOver()
    {
        using TestCluster cluster = new(3, suspects: true);
        string experiment = Experiments.Wide(EndlessEpochs);
        using NodeProcess client = cluster.BeginTraining(experiment);
        int node = cluster.NodeOf(cluster.WaitForStep(5), "layer-2/replica-0");
        cluster.Nodes[node].Signal("TERM");
        cluster.Nodes[node].WaitForExit(TestCluster.Patience).ShouldBeTrue();
        cluster.Nodes[node].ExitCode.ShouldBe(0, string.Join('\n', cluster.Nodes[node].Lines));
        TestCluster.Weights(cluster.Finish(client)).ShouldBe(cluster.OnThreads(experiment));
    }

    [Fact]
    public void ACoordinatorThatWakesAfterItsReplacementIsHeededByNobody()
    {
        using TestCluster cluster = new(3, suspects: true);
        string experiment = Experiments.Wide(EndlessEpochs);
        using NodeProcess client = cluster.BeginTraining(experiment);
        int paused = cluster.NodeOf(cluster.WaitForStep(5), "coordinator");
        cluster.Nodes[paused].Signal("STOP");
        cluster.WaitFor(() => cluster.Nodes.Where((_, node) => node != paused).Any(node => node.Lines.Any(line => line.Contains("is unreachable", StringComparison.Ordinal) || line.Contains("downing", StringComparison.Ordinal))), "the pause to be noticed");
        cluster.WaitFor(() => !client.Lives || client.Lines.Count > 0 || Removed(cluster, paused), "the coordinator to be replaced");
        cluster.Nodes[paused].Signal("CONT");
        JsonElement summary = cluster.Finish(client);
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));

        // It finds out that it was removed, and ends by itself.
        cluster.Nodes[paused].WaitForExit(TestCluster.Patience).ShouldBeTrue();
        cluster.Nodes[paused].ExitCode.ShouldBe(3);
    }

    [Fact]
    public void WhenNodesThatKeptNothingAreStartedAnewTheClientIsToldThatItsRunIsGone()
    {
        using TestCluster cluster = new(1);
        using NodeProcess client = cluster.BeginTraining(Experiments.Wide(EndlessEpochs));
        cluster.WaitForStep(5);
        cluster.Lose(0);
        cluster.Restart();
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(3);
        string.Join('\n', client.Lines).ShouldContain("does not know this run any more");
    }

    [Fact]
    public void TheLossOfMostNodesStopsTheRest()
    {
        using TestCluster cluster = new(3, suspects: true);
        using NodeProcess client = cluster.BeginTraining(Experiments.Wide(EndlessEpochs * 100));
        StatusReport status = cluster.WaitForStep(5);
        int left = cluster.NodeOf(status, "coordinator");
        for (int node = 0; node < 3; node++)
        {
            if (node != left)
            {
                cluster.Nodes[node].Signal("STOP");
            }
        }

        // It may be the minority of a partition: the one node that is left commits nothing alone.
        cluster.Nodes[left].WaitForExit(TestCluster.Patience).ShouldBeTrue();
        cluster.Nodes[left].ExitCode.ShouldBe(3);
    }

    private void Tell(TestCluster cluster, NodeProcess client, JsonElement summary, string what, long killedAt)
    {
        // The coordinator's loss is told by the next one, which goes on; that of others by the one that places anew.
        TimeSpan? placed = cluster.Nodes.Select(node => node.Said("placed anew", killedAt) ?? node.Said("goes on as leader", killedAt)).Where(time => time is not null).Min();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: from kill to re-placement {placed?.TotalSeconds:F1} s, to the news of it at the client {client.Said("recovered", killedAt)?.TotalSeconds:F1} s; "
            + $"{summary.GetProperty("steps_redone").GetInt64()} of {summary.GetProperty("steps").GetInt64()} steps redone"));
    }

    private static bool Removed(TestCluster cluster, int node) =>
        cluster.Nodes.Where((_, index) => index != node).Any(other => other.Lines.Any(line => line.Contains("downing", StringComparison.Ordinal)));
}
