using System.Globalization;
using System.Text.Json;
using DistTrain.Dashboard.Pages;
using DistTrain.Protocol.Actors;

namespace DistTrain.Dashboard.Pipelines;

/// <summary>Reads a run's <c>trace.json</c> back.</summary>
internal static class TraceFile
{
    // About three times what a run writes at most.
    private const long BytesMax = 192L << 20;
    private const int ThreadsMax = 1_000_000;

    /// <summary>The last steps of a trace; null where there is none or it is unreadable.</summary>
    public static PipelineView? Read(string path)
    {
        if (JsonPages.ReadFile(path, BytesMax) is not JsonElement root)
        {
            return null;
        }

        try
        {
            return View(root.GetProperty("traceEvents"));
        }
        catch (Exception broken) when (broken is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    private static PipelineView View(JsonElement events)
    {
        SortedDictionary<int, string> names = [];
        foreach (JsonElement one in events.EnumerateArray().Where(one => Text(one, "ph") == "M" && Text(one, "name") == "thread_name"))
        {
            int thread = one.GetProperty("tid").GetInt32();
            names[thread is >= 0 and < ThreadsMax ? thread : throw new FormatException("tid")] = Text(one.GetProperty("args"), "name");
        }

        // What an actor runs beside something else has lanes of its own, which are called like the actor with a number behind.
        string[] actors = [.. names.Values.Where(name => !name.EndsWith(')'))];
        int[] actorOf = new int[names.Count == 0 ? 0 : names.Keys.Max() + 1];
        foreach ((int thread, string name) in names)
        {
            actorOf[thread] = Array.IndexOf(actors, name.Split(" (")[0]);
        }

        List<PipelineSpan> spans = [];
        List<(int Actor, double Start, double End, ActorWait Wait)> waits = [];
        LossMoments losses = new();
        foreach (JsonElement one in events.EnumerateArray().Where(one => Text(one, "ph") == "X"))
        {
            int thread = one.GetProperty("tid").GetInt32(), actor = thread >= 0 && thread < actorOf.Length ? actorOf[thread] : -1;
            if (actor < 0 || Text(one, "cat") is not ("job" or "wait"))
            {
                continue;
            }

            double start = one.GetProperty("ts").GetDouble(), duration = one.GetProperty("dur").GetDouble();
            double end = duration >= 0 ? start + duration : throw new FormatException("dur");
            JsonElement arguments = one.GetProperty("args");
            long step = arguments.GetProperty("step").GetInt64();
            int microBatch = arguments.GetProperty("micro_batch").GetInt32();
            if (Text(one, "cat") == "wait")
            {
                waits.Add((actor, start, end, new ActorWait(KindOf(Text(one, "name")), step, microBatch)));
                continue;
            }

            string kind = Text(one, "name").Split(' ')[0].ToLowerInvariant();
            long version = arguments.GetProperty("weight_version").GetInt64();
            long staleness = kind == "backward" && arguments.TryGetProperty("update_step", out JsonElement update) ? update.GetInt64() - 1 - version : -1;
            spans.Add(new PipelineSpan(actor, start, end, kind, step, microBatch, version, staleness));
            if (kind == "loss")
            {
                losses.Set(ReplicaOf(actors[actor]), step, microBatch, end);
            }
        }

        return PipelineView.Of(
            actors, spans, [.. waits.SelectMany(wait => losses.Divide(wait.Actor, ReplicaOf(actors[wait.Actor]), wait.Start, wait.End, wait.Wait))]);
    }

    private static WaitKind KindOf(string name) => name switch
    {
        "waits for activation" => WaitKind.Activation,
        "waits for parameters" => WaitKind.Parameters,
        "waits for signal" => WaitKind.Signal,
        _ => WaitKind.Released,
    };

    /// <summary>From a name such as <c>layer-2/replica-1</c>; 0 where there is one replica alone.</summary>
    private static int ReplicaOf(string actor)
    {
        const string Mark = "/replica-";
        int mark = actor.IndexOf(Mark, StringComparison.Ordinal);
        return mark >= 0 && int.TryParse(actor.AsSpan(mark + Mark.Length), CultureInfo.InvariantCulture, out int replica) ? replica : 0;
    }

    private static string Text(JsonElement element, string key) =>
        element.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
