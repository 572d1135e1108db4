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
public sealed class DurabilityTests(ITestOutputHelper output)
{
    private const int Never = 1_000_000;

    [Theory]
    [InlineData("step", Never)]
    [InlineData("step", 25)]
    [InlineData("power", Never)]
    public void WhenEveryNodeIsKilledAtOnceAResumeLosesNoCommittedStep(string durability, int checkpointEvery)
    {
        using TestCluster cluster = new(3, suspects: true);
        string experiment = Experiments.Wide(epochs: 30, checkpointEvery, durability: durability);
        using NodeProcess client = cluster.BeginTraining(experiment);
        cluster.WaitForStep(40);
        cluster.KillAll();
        client.Kill();
        string[] before = Steps(cluster);
        before.Length.ShouldBeGreaterThanOrEqualTo(35);

        cluster.Restart();
        long start = Stopwatch.GetTimestamp();
        using NodeProcess resumed = cluster.Resume(cluster.RunFolder);
        JsonElement summary = cluster.Finish(resumed);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{durability}: {before.Length} steps were reported before the kill; the rest took {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s with the nodes' start"));
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));

        // A line that stands as it was, time and all, is of a step that was not done again.
        Steps(cluster).Take(before.Length).ShouldBe(before);
        summary.GetProperty("restarts").GetInt32().ShouldBe(0);
        summary.GetProperty("steps_redone").GetInt64().ShouldBe(0);
    }

    [Theory]
    [InlineData("parameter-server-1")]
    [InlineData("coordinator")]
    public void WhenOneNodeIsKilledTheRunWaitsForItsLogAndLosesNoCommittedStep(string actor)
    {
        using TestCluster cluster = new(3, suspects: true);
        string experiment = Experiments.Wide(epochs: 40, Never, durability: "step");
        using NodeProcess client = cluster.BeginTraining(experiment);
        StatusReport status = cluster.WaitForStep(30);
        int node = cluster.NodeOf(status, actor);
        cluster.Nodes[node].Kill();
        cluster.WaitFor(() => cluster.Nodes.Any(other => other.Lines.Any(line => line.Contains("the run waits for", StringComparison.Ordinal))), "the run to wait");
        string[] before = Steps(cluster);
        cluster.Restart();
        JsonElement summary = cluster.Finish(client);
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));
        Steps(cluster).Take(before.Length).ShouldBe(before);
        summary.GetProperty("steps_redone").GetInt64().ShouldBeLessThan(5);
    }

    [Fact]
    public void WhenTheClientIsKilledAnotherGoesOnFromTheNodesLogs()
    {
        using TestCluster cluster = new(3, suspects: true);
        string experiment = Experiments.Wide(epochs: 60, Never, durability: "step");
        using NodeProcess client = cluster.BeginTraining(experiment);
        cluster.WaitForStep(20);
        client.Kill();
        string[] before = Steps(cluster);
        cluster.WaitFor(() => cluster.Nodes.Any(node => node.Lines.Any(line => line.Contains("is gone; the run stops", StringComparison.Ordinal))), "the client to be missed");

        // It commits nothing more, or is over and forgotten already.
        cluster.WaitFor(() => cluster.Status() is { Run: null or { Lag: > 3 } }, "the run to stop");
        using NodeProcess resumed = cluster.Resume(cluster.RunFolder);
        JsonElement summary = cluster.Finish(resumed);
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));
        Steps(cluster).Take(before.Length).ShouldBe(before);
    }

    [Theory]
    [InlineData("parameter-server-1")]
    [InlineData("coordinator")]
    public void WhenTheNodeWithTheLogNeverComesBackTheRunEndsWithItsPatience(string actor)
    {
        using TestCluster cluster = new(3, suspects: true);
        using NodeProcess client = cluster.BeginTraining($"{Experiments.Wide(epochs: 10_000, Never, durability: "step")}\npatience: 10s\n");
        cluster.Lose(cluster.NodeOf(cluster.WaitForStep(20), actor));
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(3, string.Join('\n', client.Lines));
    }

    [Fact]
    public void WhatARunLeftThatNobodyResumedGoesWhenOthersHaveBegun()
    {
        using TestCluster cluster = new(1, "node { kept-runs = 0 }");
        string left = Directory.CreateDirectory(Path.Combine(cluster.Folder, "node-0", "data", "run-abc")).FullName;
        cluster.Train(Experiments.Small("{ name: backprop }"));
        Directory.Exists(left).ShouldBeFalse();
    }

    [Fact]
    public void ALogWithTwoCopiesIsRefusedByName()
    {
        using TestCluster cluster = new(1);
        using NodeProcess client = cluster.BeginTraining(Experiments.Wide(1, Never, copies: 2, durability: "step"));
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(2);
        client.Lines.ShouldContain(line => line.Contains("durability", StringComparison.Ordinal) && line.Contains("copies", StringComparison.Ordinal));
    }

    private static string[] Steps(TestCluster cluster) =>
        [.. File.ReadAllLines(Path.Combine(cluster.RunFolder, "metrics.jsonl")).Where(line => line.Contains("\"step\"", StringComparison.Ordinal) && line.EndsWith('}'))];
}
