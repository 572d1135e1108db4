using System.Text.Json;
using DistTrain.Engines;
using DistTrain.Engines.Threads;

namespace DistTrain.Commands.Tests;

public sealed class BenchCommandTests : IDisposable
{
    private static readonly IEngine[] Engines = [new ThreadsEngine()];
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void AStepIsTimedByThePlainLoopAndByActorsAndNothingIsWritten()
    {
        _bench.RunOn(Engines, "bench", "xor", "--seconds", "0.05", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument document = JsonDocument.Parse(_bench.Out);
        document.RootElement.GetProperty("rows_per_step").GetInt32().ShouldBe(4);
        JsonElement[] measured = [.. document.RootElement.GetProperty("measured").EnumerateArray()];
        measured[0].GetProperty("engine").GetString().ShouldBe("sequential");
        measured[1..].ShouldAllBe(line => line.GetProperty("engine").GetString() == "threads");
        measured.Select(line => line.GetProperty("compute_threads").GetInt32()).ShouldBe(
            Environment.ProcessorCount > 1 ? [1, 1, Environment.ProcessorCount] : [1, 1]);
        measured.ShouldAllBe(line => line.GetProperty("seconds_per_step").GetDouble() > 0 && line.GetProperty("seconds_per_step").GetDouble() < 1);
        _bench.LeftBehind().ShouldBeEmpty();
    }

    [Fact]
    public void WhatHasNoSequentialMeaningIsTimedByActorsAlone()
    {
        _bench.RunOn(Engines, "bench", "xor", "--seconds", "0.05", "--set", "method.name=pipedream", "--set", "stages=2").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain("actors on 1 thread");
        _bench.Out.ShouldNotContain("plain loop");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("much")]
    public void SecondsOutOfRangeAreRefused(string seconds)
    {
        _bench.Run("bench", "xor", "--seconds", seconds).ShouldBe(2);
        _bench.Error.ShouldContain($"--seconds: '{seconds}' is out of range; expected a number from 0.05 to 3600");
    }
}
