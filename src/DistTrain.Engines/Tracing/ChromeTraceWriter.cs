using System.Text.Json;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Tracing;

/// <summary>Chrome's trace event format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.</summary>
internal sealed class ChromeTraceWriter(Utf8JsonWriter json, RunPlan plan, int[] nodes)
{
    private const decimal NanosecondsPerMicrosecond = 1000;
    private readonly HashSet<(int Actor, int Lane)> _threads = [.. Enumerable.Range(0, nodes.Length).Select(actor => (actor, 0))];

    /// <summary>Writes everything.</summary>
    public void Write(IReadOnlyList<TraceSpan> spans, IReadOnlyList<ChromeWait> waits, IReadOnlyList<TraceMessage> messages, long leftOut)
    {
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ns");
        if (leftOut > 0)
        {
            json.WriteStartObject("otherData");
            json.WriteString("note", Note(leftOut));
            json.WriteEndObject();
        }

        json.WriteStartArray("traceEvents");
        WriteJobs(spans);
        foreach (ChromeWait wait in waits)
        {
            Begin("X", $"waits for {wait.Wait.Kind.ToString().ToLowerInvariant()}", "wait", wait.Actor.Index, 0, wait.StartNanoseconds);
            json.WriteNumber("dur", Microseconds(wait.EndNanoseconds - wait.StartNanoseconds));
            Arguments(wait.Wait.Step, wait.Wait.MicroBatch, weightVersion: -1);
            json.WriteEndObject();
        }

        for (int flow = 0; flow < messages.Count; flow++)
        {
            WriteMessage(messages[flow], flow + 1);
        }

        WriteNames();
        if (leftOut > 0)
        {
            long end = spans.Count == 0 ? 0 : spans[^1].EndNanoseconds;
            Begin("i", Note(leftOut), "note", 0, 0, end);
            json.WriteString("s", "g");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Note(long leftOut) =>
        FormattableString.Invariant($"The trace ends here: {leftOut} more jobs, waits and messages are left out to keep the file small.");

    /// <summary>Slices of a thread may nest but not overlap, so that what an actor runs beside something else has a lane of its own.</summary>
    private void WriteJobs(IReadOnlyList<TraceSpan> spans)
    {
        Dictionary<int, List<long>> lanesByActor = [];
        foreach (TraceSpan span in spans.OrderBy(span => span.StartNanoseconds).ThenBy(span => span.EndNanoseconds))
        {
            if (!lanesByActor.TryGetValue(span.Actor.Index, out List<long>? lanes))
            {
                lanesByActor.Add(span.Actor.Index, lanes = []);
            }

            int lane = lanes.FindIndex(end => end <= span.StartNanoseconds);
            if (lane < 0)
            {
                lane = lanes.Count;
                lanes.Add(0);
            }

            lanes[lane] = span.EndNanoseconds;
            _threads.Add((span.Actor.Index, lane));
            string name = span.Step == 0 ? $"{span.Kind}" : FormattableString.Invariant($"{span.Kind} {span.Step}");
            Begin("X", name, "job", span.Actor.Index, lane, span.StartNanoseconds);
            json.WriteNumber("dur", Microseconds(span.EndNanoseconds - span.StartNanoseconds));
            Arguments(span.Step, span.MicroBatch, span.WeightVersion, span.UpdateStep);
            json.WriteEndObject();
        }
    }

    /// <summary>An arrow joins slices, so that both of its ends have one of no length.</summary>
    private void WriteMessage(in TraceMessage message, int flow)
    {
        WriteEnd($"send {message.Type}", message, message.From.Index, message.SentNanoseconds);
        Begin("s", message.Type, "message", message.From.Index, 0, message.SentNanoseconds);
        json.WriteNumber("id", flow);
        json.WriteEndObject();
        WriteEnd($"receive {message.Type}", message, message.To.Index, message.ReceivedNanoseconds);
        Begin("f", message.Type, "message", message.To.Index, 0, message.ReceivedNanoseconds);
        json.WriteNumber("id", flow);
        json.WriteString("bp", "e");
        json.WriteEndObject();
    }

    private void WriteEnd(string name, in TraceMessage message, int actor, long at)
    {
        Begin("X", name, "message", actor, 0, at);
        json.WriteNumber("dur", 0);
        json.WriteStartObject("args");
        json.WriteNumber("step", message.Step);
        json.WriteNumber("bytes", message.Bytes);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteNames()
    {
        foreach (int node in nodes.Distinct().Order())
        {
            WriteName("process_name", node, thread: 0, FormattableString.Invariant($"node {node}"));
        }

        foreach ((int actor, int lane) in _threads.Order())
        {
            string name = plan.Topology.NameOf(new ActorId(actor));
            WriteName("thread_name", nodes[actor], Thread(actor, lane), lane == 0 ? name : FormattableString.Invariant($"{name} ({lane + 1})"));
        }
    }

    private void WriteName(string kind, int process, int thread, string name)
    {
        json.WriteStartObject();
        json.WriteString("ph", "M");
        json.WriteString("name", kind);
        json.WriteNumber("pid", process);
        json.WriteNumber("tid", thread);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Begin(string phase, string name, string category, int actor, int lane, long at)
    {
        json.WriteStartObject();
        json.WriteString("ph", phase);
        json.WriteString("name", name);
        json.WriteString("cat", category);
        json.WriteNumber("pid", nodes[actor]);
        json.WriteNumber("tid", Thread(actor, lane));
        json.WriteNumber("ts", Microseconds(at));
    }

    private void Arguments(long step, int microBatch, long weightVersion, long updateStep = 0)
    {
        json.WriteStartObject("args");
        json.WriteNumber("step", step);
        json.WriteNumber("micro_batch", microBatch);
        json.WriteNumber("weight_version", weightVersion);
        if (updateStep > 0)
        {
            json.WriteNumber("update_step", updateStep);
        }

        json.WriteEndObject();
    }

    private int Thread(int actor, int lane) => (lane * nodes.Length) + actor;

    private static decimal Microseconds(long nanoseconds) => nanoseconds / NanosecondsPerMicrosecond;
}
