using System.Text.Json;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;

namespace DistTrain.Commands.Tests;

public sealed class TraceOptionTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("threads", 1)]
    [InlineData("simulated", 4)]
    public void TrainWritesATraceOnlyWhereAskedFor(string engine, int processes)
    {
        IEngine[] engines = [new ThreadsEngine(), new SimulatedEngine()];
        _bench.Write("my.yaml", Bench.Good);
        _bench.RunOn(engines, "train", "my.yaml", "--engine", engine, "--out", "plain").ShouldBe(0, _bench.Error);
        File.Exists(_bench.At("plain", "trace.json")).ShouldBeFalse();
        _bench.RunOn(engines, "train", "my.yaml", "--engine", engine, "--out", "traced", "--trace").ShouldBe(0, _bench.Error);
        using JsonDocument trace = JsonDocument.Parse(File.ReadAllText(_bench.At("traced", "trace.json")));
        JsonElement[] events = [.. trace.RootElement.GetProperty("traceEvents").EnumerateArray()];
        events.Count(one => one.GetProperty("name").GetString() == "process_name").ShouldBe(processes);
        events.ShouldContain(one => one.GetProperty("name").GetString() == "Forward 1");
        events.ShouldContain(one => one.GetProperty("name").GetString() == "send activation");
    }
}
