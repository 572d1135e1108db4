using System.Text.Json;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Clusters;

/// <summary>Three nodes for many runs.</summary>
public sealed class ThreeNodes : IDisposable
{
    internal TestCluster Cluster { get; } = new(3);

    public void Dispose() => Cluster.Dispose();
}

public sealed class ConformanceTests(ThreeNodes nodes) : IClassFixture<ThreeNodes>
{
    [Theory]
    [InlineData("{ name: backprop, schedule: 1f1b }", "float32", "stages: 3", 4)]
    [InlineData("{ name: backprop, schedule: fill-drain }", "float64", "replicas: 2", 2)]
    [InlineData("{ name: front-contribution, form: gram }", "float64", "", 1)]
    [InlineData("{ name: delayed-gradient }", "float32", "stages: 3", 1)]
    [InlineData("{ name: synthetic-gradient }", "float32", "stages: 3", 1)]
    public void AClusterTrainsTheSameWeightsAsThreads(string method, string precision, string more, int microBatches)
    {
        string experiment = Experiments.Small(method, precision, more, microBatches);
        JsonElement summary = nodes.Cluster.Train(experiment);
        summary.GetProperty("engine").GetString().ShouldBe("akka");
        TestCluster.Weights(summary).ShouldBe(nodes.Cluster.OnThreads(experiment));
    }

    [Fact]
    public void LargeTensorsOverStreamsChangeNoBit()
    {
        string experiment = Experiments.Wide(epochs: 3);
        TestCluster.Weights(nodes.Cluster.Train(experiment)).ShouldBe(nodes.Cluster.OnThreads(experiment));
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("step")]
    public void AfterAnOrderlyStopAResumeGoesOnFromWhatTheClientKept(string durability)
    {
        string experiment = Experiments.Wide(epochs: 40, durability: durability);
        using NodeProcess client = nodes.Cluster.BeginTraining(experiment);
        nodes.Cluster.WaitForStep(20);
        client.Signal("TERM");
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(0, string.Join('\n', client.Lines));
        using NodeProcess resumed = nodes.Cluster.Resume(nodes.Cluster.RunFolder);
        JsonElement summary = nodes.Cluster.Finish(resumed);
        summary.GetProperty("status").GetString().ShouldBe("completed");
        TestCluster.Weights(summary).ShouldBe(nodes.Cluster.OnThreads(experiment));
    }

    [Fact]
    [Trait("Length", "long")]
    public void ChunksByAkkaRemoteGiveTheSameWeightsAsStreams()
    {
        using TestCluster cluster = new(2, "data-plane { mode = remote }");
        string experiment = Experiments.Wide(epochs: 2);
        TestCluster.Weights(cluster.Train(experiment)).ShouldBe(cluster.OnThreads(experiment));
    }

    [Fact]
    [Trait("Length", "long")]
    public void FiveNodesTrainTheSameWeights()
    {
        using TestCluster cluster = new(5);
        string experiment = Experiments.Wide(epochs: 2);
        using NodeProcess client = cluster.BeginTraining(experiment);
        JsonElement summary = cluster.Finish(client);
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));
    }
}
