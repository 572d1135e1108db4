using System.Text.Json;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Schedules;

namespace DistTrain.Commands.Tests;

public sealed class PlanTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void EveryMethodIsCostedOrRefusedWithItsReasonAndNothingIsWritten()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("plan", "my.yaml").ShouldBe(0, _bench.Error);
        foreach (string schedule in ScheduleCatalog.Names)
        {
            _bench.Out.ShouldContain($"backprop {schedule}");
        }

        _bench.Out.ShouldContain("* backprop 1f1b ");
        _bench.Out.ShouldContain("  front-contribution gram ");
        _bench.Out.ShouldContain("parameter-server");
        _bench.Out.ShouldContain("Front contribution is not worth it: with 20 rows of 2 features");
        _bench.Out.ShouldContain("Acknowledgements and retries come on top");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
        _bench.Engine.Requests.ShouldBeEmpty();
        _bench.Run("plan", "my.yaml", "--set", "optimizer.name=adam").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain("front-contribution gram cannot serve: optimizer.name: adam divides by");
        _bench.Out.ShouldContain("Front contribution cannot serve this experiment");
    }

    [Fact]
    public void TablesFitATerminal()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("plan", "my.yaml", "--set", "training.epochs=100000", "--set", "network.0.dense.units=5000").ShouldBe(0, _bench.Error);
        _bench.Out.Split('\n').Where(line => line.Contains('─', StringComparison.Ordinal)).ShouldAllBe(line => line.TrimEnd().Length <= 80);
    }

    [Fact]
    public void ManyFeaturesSayThatFrontContributionPaysAndUntilWhere()
    {
        _bench.Write("rows.csv", string.Join('\n', Enumerable.Range(0, 12).Select(row =>
            string.Join(',', Enumerable.Range(0, 400).Select(column => (row + column) % 7).Append(row % 3)))));
        string data = Bench.Good[Bench.Good.IndexOf("data:", StringComparison.Ordinal)..Bench.Good.IndexOf("network:", StringComparison.Ordinal)];
        _bench.Write("my.yaml", Bench.Good.Replace(data, "data:\n  source: csv\n  train: rows.csv\n  header: false\n  label: 400\n", StringComparison.Ordinal));
        _bench.Run("plan", "my.yaml", "--set", "training.epochs=40").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain("Front contribution pays: with 12 rows of 400 features its gram form takes ");
        _bench.Out.ShouldContain("All else unchanged it would pay up to ");
    }

    [Fact]
    public void PredictedTimesFollowTheMachineFile()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("plan", "my.yaml", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument usual = JsonDocument.Parse(_bench.Out);
        string machine = usual.RootElement.GetProperty("machine").GetRawText();
        double seconds = PlannedSeconds(usual);
        _bench.Write("slow.json", machine.Replace("\"start_seconds\": 0.0002", "\"start_seconds\": 5", StringComparison.Ordinal));
        _bench.Run("plan", "my.yaml", "--json", "--machine", "slow.json").ShouldBe(0, _bench.Error);
        using JsonDocument slow = JsonDocument.Parse(_bench.Out);
        PlannedSeconds(slow).ShouldBe(seconds + 5 - 0.0002, 1e-9);
        _bench.Write("bad.json", machine.Replace("\"threads\": 2", "\"threads\": 0", StringComparison.Ordinal));
        _bench.Run("plan", "my.yaml", "--machine", "bad.json").ShouldBe(2);
        _bench.Error.ShouldContain("bad.json: threads: expected numbers above 0");
        _bench.Write("text.json", "slow");
        _bench.Run("plan", "my.yaml", "--machine", "text.json").ShouldBe(2);
        _bench.Error.ShouldContain("text.json: line 1");

        static double PlannedSeconds(JsonDocument plan) => plan.RootElement.GetProperty("methods").EnumerateArray()
            .Single(method => method.GetProperty("planned").GetBoolean()).GetProperty("predicted_seconds").GetDouble();
    }

    [Fact]
    public void ACalibratedMachineIsWrittenAndReadAgain()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("plan", "my.yaml", "--calibrate", "--machine", "here.json", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument measured = JsonDocument.Parse(_bench.Out);
        _bench.Run("plan", "my.yaml", "--machine", "here.json", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument read = JsonDocument.Parse(_bench.Out);
        JsonElement.DeepEquals(read.RootElement, measured.RootElement).ShouldBeTrue();
        read.RootElement.GetProperty("machine").GetProperty("product_gigaflops_float32").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void JsonHoldsTheWholeTableAndNothingElse()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("plan", "my.yaml", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument document = JsonDocument.Parse(_bench.Out);
        JsonElement root = document.RootElement;
        root.GetProperty("steps").GetInt64().ShouldBe(8);
        JsonElement[] methods = [.. root.GetProperty("methods").EnumerateArray()];
        methods.Select(method => method.GetProperty("method").GetString()!).Distinct().ShouldBe(MethodCatalog.Names);
        JsonElement planned = methods.Single(method => method.GetProperty("planned").GetBoolean());
        planned.GetProperty("schedule").GetString().ShouldBe("1f1b");

        // 2 > 4 > 3 in batches of 5: forward and weight gradient of both layers, and the second one's signal.
        planned.GetProperty("multiply_adds").GetProperty("per_step").GetDouble().ShouldBe(5 * ((2 * 2 * 4) + (3 * 4 * 3)));
        JsonElement activation = planned.GetProperty("messages").GetProperty("by_type").GetProperty("activation");
        activation.GetProperty("link").GetString().ShouldBe("layers");
        activation.GetProperty("bytes_sent").GetDouble().ShouldBe(2 * 20 * 4 * sizeof(float));
        planned.GetProperty("messages").GetProperty("sent").GetDouble().ShouldBe(
            planned.GetProperty("messages").GetProperty("by_link").EnumerateObject().Sum(link => link.Value.GetProperty("sent").GetDouble()));
        planned.GetProperty("actors").EnumerateArray().Select(actor => actor.GetProperty("actor").GetString()).ShouldBe(["layer-0", "layer-1", "parameter-server"]);
        root.GetProperty("front_contribution").GetProperty("pays").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public void CollapsedLayersShowWhatTheirHistoriesTake()
    {
        // 2 > 4 > 6 > 3 in batches of 5 with momentum: of the layer between W and U, 5 rows of inputs and deltas, 7 coefficients, a count.
        const double History = sizeof(float) * ((2 * 4 * 6) + (5 * (4 + 6)) + 7 + 1);
        const string Between = "  - dense: { units: 4, activation: relu }";
        _bench.Write("my.yaml", Bench.Good
            .Replace(Between, $"{Between}\n  - dense: {{ units: 6, activation: tanh }}", StringComparison.Ordinal)
            .Replace("loss:", "method: { name: front-contribution, collapse: all }\nloss:", StringComparison.Ordinal));
        _bench.Run("plan", "my.yaml", "--set", "optimizer.momentum=0.9").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain($"Of front contribution's weights {History} B a version are histories");
        _bench.Run("plan", "my.yaml", "--set", "optimizer.momentum=0.9", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument document = JsonDocument.Parse(_bench.Out);
        JsonElement planned = document.RootElement.GetProperty("methods").EnumerateArray().Single(method => method.GetProperty("planned").GetBoolean());
        planned.GetProperty("collapse").GetString().ShouldBe("all");
        planned.GetProperty("history_bytes").GetDouble().ShouldBe(History);
        _bench.Run("plan", "my.yaml", "--set", "method.collapse=input").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldNotContain("are histories");
    }

    [Fact]
    public void WhatTrainRefusesPlanRefusesInTheSameWords()
    {
        _bench.Write("my.yaml", Bench.Good.Replace("batch-size: 5", "batch-size: 50", StringComparison.Ordinal));
        _bench.Run("train", "my.yaml").ShouldBe(2);
        string expected = _bench.Error;
        expected.ShouldContain("training.batch-size: 50 is more than the 20 training rows");
        _bench.Run("plan", "my.yaml").ShouldBe(2);
        _bench.Error.ShouldBe(expected);
        _bench.Out.ShouldBeEmpty();
        _bench.Run("plan", "my.yaml", "--jsn").ShouldBe(2);
        _bench.Error.ShouldContain("did you mean '--json'?");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void WhatTheEngineCannotRunIsNotCosted()
    {
        using Bench refusing = new() { Engine = new FakeEngine { Refusal = "training.epochs: too many" } };
        refusing.Write("my.yaml", Bench.Good);
        refusing.Run("plan", "my.yaml").ShouldBe(2);
        refusing.Error.ShouldContain("training.epochs: too many");
    }
}
