using System.Text.Json;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Tests.Support;
using DistTrain.Engines.Processes;
using DistTrain.Protocol.Actors;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Clusters;

[Trait("Length", "long")]
public sealed class SupervisionTests
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, int> _thrown = [];
    private readonly SortedDictionary<(int Node, string Actor), int> _incarnations = [];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AnActorThatThrowsIsStartedAgainAsTheNextIncarnationAndChangesNoBit(int failures)
    {
        string experiment = Experiments.Wide(epochs: 6);
        using LocalNodes nodes = new(3, (node, read) => Throwing(node, read, failures));
        using NodeProcess client = nodes.BeginTraining(experiment);
        while (!client.WaitForExit(TimeSpan.FromMilliseconds(5)))
        {
            Look(nodes);
        }

        int[] throwing = [.. _thrown.Keys];
        throwing.Length.ShouldBe(1, string.Join('\n', nodes.Lines.Concat(client.Lines)));
        JsonElement summary = Summary(client);
        summary.GetProperty("restarts").GetInt32().ShouldBeInRange(1, failures);
        using NodeProcess threads = nodes.OnThreads(experiment);
        threads.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        TestCluster.Weights(summary).ShouldBe(TestCluster.Weights(Summary(threads)));

        // Each restart is one incarnation; who lives where nobody threw stays in the first.
        foreach (((int node, string actor), int incarnation) in _incarnations)
        {
            incarnation.ShouldBe(node == throwing[0] ? 1 + failures : 1, $"{actor} on node {node}");
        }

        nodes.Lines.Count(line => line.Contains("failed and are started again", StringComparison.Ordinal)).ShouldBe(failures);
    }

    [Fact]
    public void AnActorThatGoesOnThrowingEndsTheRunAfterABoundedNumberOfRestarts()
    {
        using LocalNodes nodes = new(3, (node, read) => Throwing(node, read, int.MaxValue));
        using NodeProcess client = nodes.BeginTraining(Experiments.Wide(epochs: 6));
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(3);
        client.Lines.ShouldContain(line => line.Contains("the disk is on fire", StringComparison.Ordinal));
        lock (_lock)
        {
            _thrown.Values.Max().ShouldBeLessThanOrEqualTo(2 * (NodeActor.FailuresMax + 1));
        }
    }

    [Fact]
    public void WhenTheCoordinatorsNodeThrowsAnotherCoordinatorGoesOn()
    {
        string experiment = Experiments.Wide(epochs: 6);

        // One node hosts everybody, so whoever throws takes the coordinator along.
        using LocalNodes nodes = new(1, (node, read) => Throwing(node, read, failures: 1, withCoordinator: true));
        using NodeProcess client = nodes.BeginTraining(experiment);
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        _thrown[0].ShouldBeGreaterThan(0);
        using NodeProcess threads = nodes.OnThreads(experiment);
        threads.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        TestCluster.Weights(Summary(client)).ShouldBe(TestCluster.Weights(Summary(threads)));
    }

    /// <summary>The rows of an experiment, which the first node that asks for them fails to read a few times: one without the coordinator, or the first, which has it.</summary>
    private ChildExperiment Throwing(int node, ChildExperiment read, int failures, bool withCoordinator = false)
    {
        bool hasThrown = false;
        return read with
        {
            LoadData = () =>
            {
                lock (_lock)
                {
                    bool isTheOne = _thrown.Count == 0 ? node != 0 || withCoordinator : _thrown.ContainsKey(node);
                    int before = _thrown.GetValueOrDefault(node);
                    if (isTheOne && !hasThrown && before < failures)
                    {
                        hasThrown = failures < int.MaxValue;
                        _thrown[node] = before + 1;
                        throw new InvalidOperationException("the disk is on fire");
                    }
                }

                return read.LoadData();
            },
        };
    }

    private void Look(LocalNodes nodes)
    {
        for (int node = 0; node < nodes.Hosts.Count; node++)
        {
            if (nodes.Hosts[node].Run is NodeRun run)
            {
                foreach (int actor in run.Hosted)
                {
                    _incarnations[(node, run.Plan.Topology.NameOf(new ActorId(actor)))] = run.IncarnationOf(new ActorId(actor));
                }
            }
        }
    }

    private static JsonElement Summary(NodeProcess client)
    {
        string text = string.Join('\n', client.Lines);
        text.ShouldContain("{");
        return JsonDocument.Parse(text[text.IndexOf('{', StringComparison.Ordinal)..(text.LastIndexOf('}') + 1)]).RootElement;
    }
}
