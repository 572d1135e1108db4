using System.Text.Json;
using DistTrain.Engines.Tracing;
using Shouldly;

namespace DistTrain.Engines.Tests.Tracing;

/// <summary>A written trace, read back and held to the format: slices of a thread nest, every arrow has both ends, every thread a name.</summary>
internal sealed class CheckedTrace
{
    public int Jobs { get; private set; }

    public int Waits { get; private set; }

    public int Flows { get; private set; }

    public int Processes { get; private set; }

    public string? Note { get; private set; }

    public List<string> Threads { get; } = [];

    public static CheckedTrace Of(ChromeTrace trace)
    {
        using MemoryStream stream = new();
        trace.Write(stream);
        using JsonDocument document = JsonDocument.Parse(stream.ToArray());
        CheckedTrace read = new();
        read.Read(document.RootElement);
        return read;
    }

    private static string Text(JsonElement one, string key) => one.GetProperty(key).GetString()!;

    private static (int, int) ThreadOf(JsonElement one) => (one.GetProperty("pid").GetInt32(), one.GetProperty("tid").GetInt32());

    private void Read(JsonElement root)
    {
        JsonElement[] events = [.. root.GetProperty("traceEvents").EnumerateArray()];
        ILookup<string, JsonElement> byPhase = events.ToLookup(one => Text(one, "ph"));
        byPhase.Select(phase => phase.Key).ShouldBeSubsetOf(["X", "s", "f", "M", "i"]);
        HashSet<(int, int)> named = [.. byPhase["M"].Where(one => Text(one, "name") == "thread_name").Select(ThreadOf)];
        events.Where(one => Text(one, "ph") is "X" or "s" or "f").ShouldAllBe(one => named.Contains(ThreadOf(one)));
        Threads.AddRange(byPhase["M"].Where(one => Text(one, "name") == "thread_name").Select(one => Text(one.GetProperty("args"), "name")));
        Processes = byPhase["M"].Count(one => Text(one, "name") == "process_name");
        Note = root.TryGetProperty("otherData", out JsonElement other) ? Text(other, "note") : null;
        ReadSlices(byPhase["X"]);
        ReadFlows(byPhase["s"], byPhase["f"], byPhase["X"]);
    }

    private void ReadSlices(IEnumerable<JsonElement> slices)
    {
        foreach (IGrouping<(int, int), JsonElement> thread in slices.GroupBy(ThreadOf))
        {
            Stack<decimal> open = new();
            foreach (JsonElement slice in thread.OrderBy(Start).ThenByDescending(End))
            {
                while (open.TryPeek(out decimal end) && end <= Start(slice) && End(slice) > end)
                {
                    open.Pop();
                }

                (!open.TryPeek(out decimal outer) || End(slice) <= outer).ShouldBeTrue($"{slice} overlaps the slice before it");
                open.Push(End(slice));
            }
        }

        Jobs = slices.Count(slice => Text(slice, "cat") == "job");
        Waits = slices.Count(slice => Text(slice, "cat") == "wait");
        slices.Where(slice => Text(slice, "cat") != "message").ShouldAllBe(slice => HasArguments(slice.GetProperty("args")));
    }

    private static bool HasArguments(JsonElement arguments) =>
        arguments.GetProperty("step").GetInt64() >= 0
        && arguments.GetProperty("micro_batch").GetInt32() >= -1
        && arguments.GetProperty("weight_version").GetInt64() >= -1;

    private void ReadFlows(IEnumerable<JsonElement> starts, IEnumerable<JsonElement> ends, IEnumerable<JsonElement> slices)
    {
        Dictionary<int, JsonElement> byId = starts.ToDictionary(start => start.GetProperty("id").GetInt32());
        ends.Select(end => end.GetProperty("id").GetInt32()).Order().ShouldBe(byId.Keys.Order());
        ends.ShouldAllBe(end => Start(end) >= Start(byId[end.GetProperty("id").GetInt32()]));
        HashSet<((int, int), decimal)> places = [.. slices.Where(slice => Text(slice, "cat") == "message").Select(slice => (ThreadOf(slice), Start(slice)))];
        starts.Concat(ends).ShouldAllBe(end => places.Contains(new ValueTuple<(int, int), decimal>(ThreadOf(end), Start(end))));
        Flows = byId.Count;
    }

    private static decimal Start(JsonElement one) => one.GetProperty("ts").GetDecimal();

    private static decimal End(JsonElement one) => Start(one) + one.GetProperty("dur").GetDecimal();
}
