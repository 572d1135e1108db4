using System.Text;
using System.Text.Json;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Commands.Studies;

/// <summary>
/// The first steps of a study's runs as JSON, for pages: of each method, depth and condition the first seed's. Jobs are [actor, start, end, kind, step, micro-batch] and
/// waits [actor, start, end, share, step]; actors, kinds and shares are positions in the lists beside them, times microseconds.
/// </summary>
internal static class StudyTimelines
{
    private const double NanosecondsPerMicrosecond = 1000;
    private static readonly string[] Kinds = [.. Enum.GetNames<JobKind>().Select(name => name.ToLowerInvariant())];

    /// <summary>The whole file.</summary>
    public static string Json(IReadOnlyList<StudyComparison> groups)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("steps", StudyTimeline.Steps);
            Names(json, "kinds", Kinds);
            Names(json, "shares", StudyWords.Shares.Select(share => share.Name));
            json.WriteStartArray("runs");
            foreach (StudyRun run in groups.SelectMany(group => group.Methods)
                .Select(method => method.FirstOrDefault(run => run.HasFigures)).OfType<StudyRun>())
            {
                Write(json, run);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length) + "\n";
    }

    private static void Write(Utf8JsonWriter json, StudyRun run)
    {
        StudyTimeline timeline = run.Timeline!;
        json.WriteStartObject();
        json.WriteString("method", run.Case.Method);
        if (run.Case.Depth is int depth)
        {
            json.WriteNumber("hidden_layers", depth);
        }
        else
        {
            json.WriteNull("hidden_layers");
        }

        json.WriteString("condition", run.Case.Condition);
        Names(json, "actors", run.Locks!.Layers.Take(StudyTimeline.LayersMax).Select(layer => layer.Name));
        json.WriteStartArray("jobs");
        foreach (TraceSpan job in timeline.Jobs)
        {
            Row(json, job.Actor.Index, job.StartNanoseconds, job.EndNanoseconds, (int)job.Kind, job.Step, job.MicroBatch);
        }

        json.WriteEndArray();
        json.WriteStartArray("waits");
        foreach (WaitSlice wait in timeline.Waits)
        {
            Row(json, wait.Actor.Index, wait.StartNanoseconds, wait.EndNanoseconds, (int)wait.Share, wait.Step, microBatch: null);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Row(Utf8JsonWriter json, int actor, long start, long end, int kind, long step, int? microBatch)
    {
        json.WriteStartArray();

        // Layer actors come right after the coordinator.
        json.WriteNumberValue(actor - 1);
        json.WriteNumberValue(start / NanosecondsPerMicrosecond);
        json.WriteNumberValue(end / NanosecondsPerMicrosecond);
        json.WriteNumberValue(kind);
        json.WriteNumberValue(step);
        if (microBatch is int number)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static void Names(Utf8JsonWriter json, string key, IEnumerable<string> names)
    {
        json.WriteStartArray(key);
        foreach (string name in names)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
    }
}
