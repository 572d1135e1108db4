using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Deploying;

public sealed class TelemetryTests
{
    [Theory]
    [InlineData("grpc")]
    [InlineData("http")]
    public void MetricsAndTracesOfARunReachACollector(string protocol)
    {
        using OtlpReceiver collector = new(byGrpc: protocol == "grpc");
        using TestCluster cluster = new(2, $$"""telemetry { endpoint = "{{collector.Endpoint}}", protocol = {{protocol}} }""");
        cluster.Train(Experiments.Small("{ name: backprop }"));
        foreach (NodeProcess node in cluster.Nodes)
        {
            // What was not sent yet is sent when a node leaves.
            node.Signal("TERM");
            node.WaitForExit(TestCluster.Patience).ShouldBeTrue();
            node.ExitCode.ShouldBe(0, string.Join('\n', node.Lines));
        }

        string metrics = collector.Text("metrics"), traces = collector.Text("traces");
        foreach (string name in new[] { "disttrain.messages", "disttrain.tensor.bytes", "disttrain.steps", "disttrain.step.duration", "disttrain-node" })
        {
            metrics.ShouldContain(name);
        }

        traces.ShouldContain("run");
        traces.ShouldContain("step");
    }
}
