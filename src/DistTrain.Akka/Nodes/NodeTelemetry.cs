using System.Diagnostics;
using System.Diagnostics.Metrics;
using DistTrain.Akka.Configuration;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DistTrain.Akka.Nodes;

/// <summary>
/// What a node tells of itself by OpenTelemetry: how many messages and bytes of tensors went over which wire, how many buffers live, committed
/// steps, refusals; and a trace per run whose spans are steps, epochs and recoveries as the leader sees them. Where nobody
/// listens a measurement costs a comparison.
/// </summary>
internal static class NodeTelemetry
{
    private const string Name = "DistTrain.Cluster";

    private static readonly Meter Meter = new(Name);

    /// <summary>Traces of runs.</summary>
    public static ActivitySource Traces { get; } = new(Name);

    /// <summary>Messages sent, by wire: <c>control</c> or <c>stream</c>.</summary>
    public static Counter<long> Messages { get; } = Meter.CreateCounter<long>("disttrain.messages", "{message}", "Messages sent to other nodes");

    /// <summary>Bytes of tensors sent, by wire.</summary>
    public static Counter<long> TensorBytes { get; } = Meter.CreateCounter<long>("disttrain.tensor.bytes", "By", "Bytes of tensors sent to other nodes");

    /// <summary>Steps that the coordinator on this node committed.</summary>
    public static Counter<long> Steps { get; } = Meter.CreateCounter<long>("disttrain.steps", "{step}", "Committed steps");

    /// <summary>Recoveries that the coordinator on this node decided.</summary>
    public static Counter<long> Recoveries { get; } = Meter.CreateCounter<long>("disttrain.recoveries", "{recovery}", "Recoveries");

    /// <summary>Milliseconds from one commit to the next.</summary>
    public static Histogram<double> StepTime { get; } = Meter.CreateHistogram<double>("disttrain.step.duration", "ms", "Time from one commit to the next");

    /// <summary>Sends everything to a collector until disposed; null where none is named.</summary>
    public static IDisposable? Export(NodeSettings settings, NodeHost host)
    {
        if (settings.TelemetryEndpoint.Length == 0)
        {
            return null;
        }

        Meter.CreateObservableGauge("disttrain.buffers", () => host.Run?.LiveBuffers ?? 0, "{buffer}", "Tensors alive");
        Meter.CreateObservableCounter("disttrain.refusals", () => host.Refusals, "{refusal}", "Connections and messages refused");
        ResourceBuilder resource = ResourceBuilder.CreateDefault().AddService("disttrain-node", serviceInstanceId: $"{host.Settings.Host}:{host.Settings.Port}");
        void Target(OtlpExporterOptions options, string signal)
        {
            // By HTTP each signal has a path of its own below the endpoint.
            options.Protocol = settings.TelemetryByHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
            options.Endpoint = new Uri(settings.TelemetryByHttp ? $"{settings.TelemetryEndpoint.TrimEnd('/')}/v1/{signal}" : settings.TelemetryEndpoint);
        }

        return new Exporters(
            Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Name).AddOtlpExporter(options => Target(options, "metrics")).Build(),
            Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Name).AddOtlpExporter(options => Target(options, "traces")).Build());
    }

    private sealed record Exporters(MeterProvider Metrics, TracerProvider Traces) : IDisposable
    {
        public void Dispose()
        {
            Metrics.Dispose();
            Traces.Dispose();
        }
    }
}
