using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Deploying;

public sealed class TelemetryTests
{
    [Fact]
    public void MetricsAndTracesOfARunReachACollector()
    {
        using OtlpReceiver collector = new();
        using TestCluster cluster = new(2, $$"""telemetry { endpoint = "{{collector.Endpoint}}", protocol = http }""");
        cluster.Train(Experiments.Small("{ name: backprop }"));
        foreach (NodeProcess node in cluster.Nodes)
        {
            // What was not sent yet is sent when a node leaves.
            node.Signal("TERM");
            node.WaitForExit(TestCluster.Patience).ShouldBeTrue();
            node.ExitCode.ShouldBe(0, string.Join('\n', node.Lines));
        }

        string metrics = Text(collector, "/v1/metrics"), traces = Text(collector, "/v1/traces");
        foreach (string name in new[] { "disttrain.messages", "disttrain.tensor.bytes", "disttrain.steps", "disttrain.step.duration", "disttrain-node" })
        {
            metrics.ShouldContain(name);
        }

        traces.ShouldContain("run");
        traces.ShouldContain("step");
    }

    private static string Text(OtlpReceiver collector, string path) =>
        string.Concat(collector.Requests.Where(request => request.Path == path).Select(request => request.Text));
}
