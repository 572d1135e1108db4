using System.Diagnostics;
using System.Diagnostics.Metrics;
using DistTrain.Engines;
using DistTrain.Engines.Tracing;
using DistTrain.Numerics;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DistTrain.Commands.Telemetry;

/// <summary>
/// Sends a run's metrics, and a span for every job of some of its steps, to an OpenTelemetry collector by OTLP over HTTP. A collector that is not there costs nothing but what it
/// would have been sent.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    private const string SourceName = "DistTrain";
    private const int ExportMilliseconds = 2000, EndMilliseconds = 5000;
    private readonly ActivitySource _source = new(SourceName);
    private readonly Meter _meter = new(SourceName);
    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;
    private readonly Counter<long> _steps, _rows, _messages, _bytes;
    private readonly Gauge<double> _loss, _accuracy, _rate, _testLoss, _testAccuracy;
    private readonly Histogram<double> _jobs;

    /// <summary>Starts to export.</summary>
    /// <param name="collector">Its address without the path, such as http://127.0.0.1:4318.</param>
    /// <param name="run">The run's name.</param>
    public OtlpExport(Uri collector, string run)
    {
        _steps = _meter.CreateCounter<long>("disttrain.steps", "{step}", "Committed steps.");
        _rows = _meter.CreateCounter<long>("disttrain.rows", "{row}", "Training rows of committed steps.");
        _messages = _meter.CreateCounter<long>("disttrain.messages", "{message}", "Messages that arrived, by type.");
        _bytes = _meter.CreateCounter<long>("disttrain.message.bytes", "By", "Bytes of the tensors in messages that arrived, by type.");
        _loss = _meter.CreateGauge<double>("disttrain.loss", "1", "Mean loss over the last step's rows, before its update.");
        _accuracy = _meter.CreateGauge<double>("disttrain.accuracy", "1", "Share of the last step's rows classified right.");
        _rate = _meter.CreateGauge<double>("disttrain.learning_rate", "1", "Learning rate of the last step.");
        _testLoss = _meter.CreateGauge<double>("disttrain.test.loss", "1", "Loss on the test rows at the last evaluation.");
        _testAccuracy = _meter.CreateGauge<double>("disttrain.test.accuracy", "1", "Accuracy on the test rows at the last evaluation.");
        _jobs = _meter.CreateHistogram<double>("disttrain.job.duration", "s", "Durations of actors' jobs, by kind.");
        ResourceBuilder resource = ResourceBuilder.CreateEmpty().AddService("disttrain").AddAttributes([new("disttrain.run", run)]);
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(SourceName)
            .AddOtlpExporter((exporter, reader) =>
            {
                Configure(exporter, collector, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = ExportMilliseconds;
            })
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(SourceName)
            .AddOtlpExporter(exporter => Configure(exporter, collector, "v1/traces"))
            .Build();
    }

    /// <summary>A collector's address. Throws <see cref="InvalidInputException"/> where it is none.</summary>
    public static Uri AddressOf(string given) =>
        Uri.TryCreate(given, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"
            ? address
            : throw new InvalidInputException($"--otlp {given}: expected the address of a collector, such as http://127.0.0.1:4318");

    /// <summary>The same request, whose jobs and messages are told as well.</summary>
    public RunRequest Watch(RunRequest request)
    {
        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        JobSpans spans = new(this, plan, TimeProvider.System.GetUtcNow());
        return request with { Trace = request.Trace is IRunTrace other ? new TraceFan(other, spans) : spans };
    }

    /// <summary>An observer that is told the same.</summary>
    public IRunObserver Watch(IRunObserver observer) => new Observer(this, observer);

    /// <summary>Sends what is left.</summary>
    public void Dispose()
    {
        _metrics.ForceFlush(EndMilliseconds);
        _traces.ForceFlush(EndMilliseconds);
        _metrics.Dispose();
        _traces.Dispose();
        _meter.Dispose();
        _source.Dispose();
    }

    private static void Configure(OtlpExporterOptions exporter, Uri collector, string path)
    {
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri(collector, path);
    }

    private sealed class Observer(OtlpExport export, IRunObserver inner) : IRunObserver
    {
        public void OnStep(in StepProgress step)
        {
            export._steps.Add(1);
            export._rows.Add(step.Rows);
            export._rate.Record(step.LearningRate);
            Record(export._loss, step.Loss);
            Record(export._accuracy, step.Accuracy);
            inner.OnStep(step);
        }

        public void OnEpoch(EpochProgress epoch)
        {
            Record(export._testLoss, epoch.TestLoss ?? double.NaN);
            Record(export._testAccuracy, epoch.TestAccuracy ?? double.NaN);
            inner.OnEpoch(epoch);
        }

        public void OnNotice(string text) => inner.OnNotice(text);

        public void OnSnapshot(long step) => inner.OnSnapshot(step);

        public void OnFault(string fault, TimeSpan elapsed) => inner.OnFault(fault, elapsed);

        private static void Record(Gauge<double> gauge, double value)
        {
            if (double.IsFinite(value))
            {
                gauge.Record(value);
            }
        }
    }

    private sealed class JobSpans(OtlpExport export, RunPlan plan, DateTimeOffset start) : IRunTrace
    {
        // A span costs microseconds, as jobs may: of a long run about so many steps have theirs.
        private const int StepsWithSpans = 100;
        private readonly long _every = Math.Max(1, plan.TotalSteps / StepsWithSpans);

        public void OnSpan(in TraceSpan span)
        {
            string kind = span.Kind.ToString().ToLowerInvariant();
            export._jobs.Record((span.EndNanoseconds - span.StartNanoseconds) / 1e9, new KeyValuePair<string, object?>("disttrain.job.kind", kind));
            if (span.Step == 0 || (span.Step - 1) % _every != 0)
            {
                return;
            }

            ActivityContext parent = new(TraceIdOf(span.Step), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
            using Activity? activity = export._source.StartActivity(kind, ActivityKind.Internal, parent, startTime: At(span.StartNanoseconds));
            activity?.SetTag("disttrain.actor", plan.Topology.NameOf(span.Actor))
                .SetTag("disttrain.step", span.Step)
                .SetTag("disttrain.micro_batch", span.MicroBatch)
                .SetTag("disttrain.weight_version", span.WeightVersion)
                .SetEndTime(At(span.EndNanoseconds).UtcDateTime);
        }

        public void OnMessage(in TraceMessage message)
        {
            KeyValuePair<string, object?> type = new("disttrain.message.type", message.Type);
            export._messages.Add(1, type);
            export._bytes.Add(message.Bytes, type);
        }

        public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes)
        {
        }

        private DateTimeOffset At(long nanoseconds) => start.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);

        /// <summary>All jobs of a step are one trace, and those of two runs are not.</summary>
        private ActivityTraceId TraceIdOf(long step)
        {
            Span<byte> bytes = stackalloc byte[16];
            BitConverter.TryWriteBytes(bytes, start.Ticks);
            BitConverter.TryWriteBytes(bytes[8..], step);
            return ActivityTraceId.CreateFromBytes(bytes);
        }
    }
}
