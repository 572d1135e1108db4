using System.Text.Json;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;

namespace DistTrain.Commands.Tests.Studies;

public sealed class LockingStudyTests : IDisposable
{
    private const string Small =
        """
        name: small study
        experiment:
          seed: 3
          data: { source: blobs, train-rows: 24, test-rows: 10 }
          network:
            - dense: { units: 6, activation: tanh }
            - dense: { units: 5, activation: tanh }
            - dense: { units: 3, activation: softmax }
          loss: cross-entropy
          optimizer: { name: sgd, learning-rate: 0.1 }
          training: { epochs: 3, batch-size: 6 }
        methods:
          - { name: backprop, schedule: sequential }
          - { name: front-contribution, optimizer: { name: adam, learning-rate: 0.01 }, label: '<front> & "adam"' }
          - front-contribution
          - local-loss

        """;

    private static readonly IEngine[] Engines = [new SimulatedEngine()];
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void EveryCombinationRunsOrIsRefusedByNameAndItsFiguresAreSaved()
    {
        JsonElement[] runs = Study(Small);
        runs.Select(Method).ShouldBe(["backprop sequential", "<front> & \"adam\"", "front-contribution", "local-loss"]);
        runs.Select(run => run.GetProperty("status").GetString()).ShouldBe(["completed", "refused", "completed", "completed"]);
        runs[1].GetProperty("reason").GetString()!.ShouldContain("adam");
        foreach (JsonElement run in runs.Where(run => run.GetProperty("status").GetString() == "completed"))
        {
            run.GetProperty("steps").GetInt64().ShouldBe(12);
            run.GetProperty("common_step").GetInt64().ShouldBe(12);
            run.GetProperty("loss_at_common_step").GetDouble().ShouldBeInRange(0, 3);
            run.GetProperty("accuracy_at_common_step").GetDouble().ShouldBeInRange(0, 1);
            run.GetProperty("bubble_formula").GetDouble().ShouldBe(2.0 / 3, 1e-12);
            run.GetProperty("peak_activation_bytes").GetInt64().ShouldBeGreaterThan(0);
            double seconds = run.GetProperty("virtual_seconds").GetDouble();
            run.GetProperty("common_seconds").GetDouble().ShouldBeLessThanOrEqualTo(seconds);
            run.GetProperty("layers").EnumerateArray().ShouldAllBe(layer => Math.Abs(SharesOf(layer).Sum() - seconds) < 1e-9);
        }

        double[] losses = [.. runs.Where(run => Method(run) is "backprop sequential" or "front-contribution").Select(run => run.GetProperty("final_train_loss").GetDouble())];
        losses[0].ShouldBe(losses[1], 1e-5);
        Directory.EnumerateFiles(_bench.At("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
            .ShouldBe(["curves.csv", "layers.csv", "results.csv", "study.json", "study.yaml", "timelines.json"]);
        File.ReadAllLines(_bench.At("out", "results.csv")).Length.ShouldBe(1 + 4);
        File.ReadAllLines(_bench.At("out", "layers.csv")).Length.ShouldBe(1 + (3 * 3));
    }

    [Fact]
    public void TheSameStudyGivesTheSameFilesEveryTime()
    {
        Study(Small);
        string[] files = ["study.json", "results.csv", "layers.csv", "curves.csv", "timelines.json"];
        string[] first = [.. files.Select(file => File.ReadAllText(_bench.At("out", file)))];
        Directory.Delete(_bench.At("out"), recursive: true);
        Study(Small);
        files.Select(file => File.ReadAllText(_bench.At("out", file))).ShouldBe(first);
    }

    [Fact]
    public void DepthsConditionsAndSeedsAreCombined()
    {
        JsonElement[] runs = Study(Small + """
            depths: [1, 3]
            hidden: { units: 4, activation: tanh }
            conditions:
              - { name: near }
              - { name: far, latency: 5ms }
              - { name: straggler, slow: { layer: 1, factor: 50 } }
            seeds: [1, 2]
            """);
        runs.Length.ShouldBe(2 * 3 * 4 * 2);
        runs.Where(run => Method(run) == "local-loss").Select(run => run.GetProperty("layers").GetArrayLength()).Distinct().ShouldBe([2, 4]);
        double Time(string condition) => runs.Single(run => Method(run) == "backprop sequential" && run.GetProperty("condition").GetString() == condition
            && run.GetProperty("hidden_layers").GetInt32() == 3 && run.GetProperty("seed").GetInt32() == 1).GetProperty("virtual_seconds").GetDouble();
        Time("far").ShouldBeGreaterThan(5 * Time("near"));
        Time("straggler").ShouldBeGreaterThan(Time("near"));

        // Weights depend on the seed, and on nothing that the network does.
        runs.Where(run => Method(run) == "local-loss" && run.GetProperty("hidden_layers").GetInt32() == 1 && run.GetProperty("seed").GetInt32() == 1)
            .Select(run => run.GetProperty("final_train_loss").GetDouble()).Distinct().Count().ShouldBe(1);
        runs.Where(run => Method(run) == "local-loss").Select(run => run.GetProperty("final_train_loss").GetDouble()).Distinct().Count().ShouldBe(4);
    }

    [Fact]
    public void WithoutArithmeticTimeIsTheSameAndThereIsNoLoss()
    {
        JsonElement[] whole = Study(Small);
        Directory.Delete(_bench.At("out"), recursive: true);
        JsonElement[] timed = Study(Small + "timing-only: true");
        timed.ShouldAllBe(run => run.GetProperty("loss_at_common_step").ValueKind == JsonValueKind.Null);
        timed.Select(run => run.GetProperty("virtual_seconds").ToString()).ShouldBe(whole.Select(run => run.GetProperty("virtual_seconds").ToString()));
        timed.Select(run => run.GetProperty("bytes_sent").ToString()).ShouldBe(whole.Select(run => run.GetProperty("bytes_sent").ToString()));
    }

    [Fact]
    public void TimelinesHoldTheFirstStepsOfEveryMethodThatRan()
    {
        Study(Small);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(_bench.At("out", "timelines.json")));
        JsonElement root = document.RootElement;
        string[] kinds = [.. root.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetString()!)];
        JsonElement[] runs = [.. root.GetProperty("runs").EnumerateArray()];
        runs.Select(Method).ShouldBe(["backprop sequential", "front-contribution", "local-loss"]);
        runs[0].GetProperty("actors").EnumerateArray().Select(actor => actor.GetString()).ShouldBe(["layer-0", "layer-1", "layer-2"]);
        JsonElement[][] jobs = [.. runs[0].GetProperty("jobs").EnumerateArray().Select(job => job.EnumerateArray().ToArray())];
        jobs.Count(job => kinds[job[3].GetInt32()] == "backward").ShouldBe(3 * 12);
        jobs.ShouldAllBe(job => job[0].GetInt32() >= 0 && job[0].GetInt32() < 3 && job[1].GetDouble() <= job[2].GetDouble());
    }

    [Fact]
    public void TablesShowEveryMethodAndLayer()
    {
        _bench.Write("s.yaml", Small);
        _bench.RunOn(Engines, "study", "locking", "s.yaml", "--out", "out").ShouldBe(0, _bench.Error);
        foreach (string text in (string[])["backprop sequential", "local-loss", "layer-2", "forward lock", "released", "loss at step 12", "66.7 %", "<front> & \"adam\" cannot serve: optimizer.name: adam"])
        {
            _bench.Out.ShouldContain(text);
        }

        _bench.Out.Split('\n').Where(line => line.Contains('─', StringComparison.Ordinal)).ShouldAllBe(line => line.TrimEnd().Length <= 132);
    }

    [Theory]
    [InlineData("methods:\n", "method:\n", "did you mean 'methods'?")]
    [InlineData("- local-loss", "- local-loss\noptimizer: adam", "s.yaml:17: optimizer: this key belongs to the experiment")]
    [InlineData("- local-loss", "- local-los", "'local-los' is not known")]
    [InlineData("- local-loss", "- { name: local-loss, lable: x }", "did you mean 'label'?")]
    [InlineData("- local-loss", "- { name: local-loss, beta: 2, betta: 3 }", "did you mean 'beta'?")]
    [InlineData("- local-loss", "- front-contribution", "'front-contribution' is here already")]
    [InlineData("- local-loss", "- local-loss\nsedes: [1]", "did you mean 'seeds'?")]
    [InlineData("- local-loss", "- local-loss\nseeds: [1, 1]", "different whole numbers")]
    [InlineData("- local-loss", "- local-loss\ndepths: [1]", "hidden: { units: 64, activation: tanh }")]
    [InlineData("- local-loss", "- local-loss\nhidden: { units: 4, activation: tanh }\ndepths: []", "s.yaml:18: depths: the list is empty; expected numbers of hidden layers")]
    [InlineData("- local-loss", "- local-loss\nhidden: { units: 4, activation: tanh }\ndepths: [1, 2, 1]", "s.yaml:18: depths: '1' is here already; expected different")]
    [InlineData("- local-loss", "- local-loss\nseeds: []", "s.yaml:17: seeds: the list is empty; expected whole numbers")]
    [InlineData("- local-loss", "- local-loss\nconditions: []", "s.yaml:17: conditions: an empty list is no list of conditions")]
    [InlineData("- local-loss", "- local-loss\nconditions: [{ name: x, slow: [] }]", "s.yaml:17: conditions[0].slow: the list is empty; expected a straggler")]
    [InlineData("- local-loss", "- local-loss\nconditions: [{ name: x, latenzy: 1ms }]", "did you mean 'latency'?")]
    [InlineData("- local-loss", "- local-loss\nconditions: [{ latency: 1ms }]", "conditions[0].name: this key is missing")]
    [InlineData("batch-size: 6", "batch-size: none", "s.yaml:11: training.batch-size")]
    [InlineData("units: 3,", "units: 4,", "the last layer has 4 outputs")]
    public void WhatIsWrongIsNamedAndNothingRuns(string right, string wrong, string message)
    {
        _bench.Write("s.yaml", Small.Replace(right, wrong, StringComparison.Ordinal));
        _bench.RunOn(Engines, "study", "locking", "s.yaml").ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.LeftBehind("s.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void AStudyThatOnlyHasRefusedCombinationsIsAnError()
    {
        _bench.Write("s.yaml", Small.Replace("name: sgd", "name: adam", StringComparison.Ordinal)[..^"  - local-loss\n\n".Length]
            .Replace("  - { name: backprop, schedule: sequential }\n", "", StringComparison.Ordinal));
        _bench.RunOn(Engines, "study", "locking", "s.yaml").ShouldBe(2);
        _bench.Error.ShouldContain("front-contribution, seed 3: optimizer.name: adam");
        _bench.LeftBehind("s.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void WhenAskedToStopTheStudyKeepsWhatItHas()
    {
        using CancellationTokenSource stop = new();
        using Bench bench = new() { Stop = stop.Token };
        bench.Write("s.yaml", Small + "seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n");
        bench.RunOn([new StoppingEngine(stop, afterRuns: 3)], "study", "locking", "s.yaml", "--out", "out").ShouldBe(0, bench.Error);
        bench.Error.ShouldContain("of 36 runs are complete");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(bench.At("out", "study.json")));
        string[] states = [.. document.RootElement.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("status").GetString()!)];
        states.Distinct().ShouldBeSubsetOf(["completed", "stopped", "refused", "not run"]);
        states.Count(state => state == "not run").ShouldBeGreaterThan(10);
    }

    [Fact]
    public void HelpShowsAStudyFileAndAnUnknownStudyItsNearestName()
    {
        _bench.RunOn(Engines, "study", "locking", "--help").ShouldBe(0);
        _bench.Out.ShouldContain("slow links, latency: 1ms");
        _bench.Out.ShouldContain("disttrain study locking examples/locking.yaml");
        _bench.RunOn(Engines, "study", "loking").ShouldBe(2);
        _bench.Error.ShouldContain("did you mean 'locking'?");
        _bench.RunOn(Engines, "study", "locking", "none.yaml").ShouldBe(2);
        _bench.Error.ShouldContain("there is no such file");
    }

    private static string Method(JsonElement run) => run.GetProperty("method").GetString()!;

    private static IEnumerable<double> SharesOf(JsonElement layer) =>
        layer.EnumerateObject().Where(member => member.Name.EndsWith("_seconds", StringComparison.Ordinal)).Select(member => member.Value.GetDouble());

    [Fact]
    public void InitialWeightsOfAFileAreThoseOfEveryMethod()
    {
        _bench.Write("base.yaml", Small[Small.IndexOf("  seed", StringComparison.Ordinal)..Small.IndexOf("methods:", StringComparison.Ordinal)].Replace("\n  ", "\n", StringComparison.Ordinal).TrimStart());
        _bench.RunOn(Engines, "train", "base.yaml", "--engine", "simulated", "--set", "seed=9", "--set", "training.epochs=1", "--out", "before").ShouldBe(0, _bench.Error);
        string init = Small.Replace("  loss: cross-entropy", "  init: { file: before/model.safetensors }\n  loss: cross-entropy", StringComparison.Ordinal);
        JsonElement backprop = Study(init)[0];
        _bench.RunOn(
            Engines, "train", "base.yaml", "--engine", "simulated", "--set", "init={ file: before/model.safetensors }", "--set", "method={ name: backprop, schedule: sequential }",
            "--out", "alone", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument alone = JsonDocument.Parse(_bench.Out);
        backprop.GetProperty("final_train_loss").GetDouble().ShouldBe(alone.RootElement.GetProperty("final_loss").GetDouble());
        _bench.Write("bad.yaml", init.Replace("before/model.safetensors", "base.yaml", StringComparison.Ordinal));
        _bench.RunOn(Engines, "study", "locking", "bad.yaml").ShouldBe(2);
        _bench.Error.ShouldContain("init.file: ");
    }

    [Fact]
    public void FaultsOfTheExperimentAreLeftOutWithAWord()
    {
        Study(Small.Replace("  loss: cross-entropy", "  faults: [{ at: step 4, crash: layer-1, restart-after: 1ms }]\n  loss: cross-entropy", StringComparison.Ordinal));
        _bench.Error.ShouldContain("note: faults: left out");
    }

    private JsonElement[] Study(string text)
    {
        _bench.Write("s.yaml", text);
        _bench.RunOn(Engines, "study", "locking", "s.yaml", "--out", "out", "--json").ShouldBe(0, _bench.Error);
        using JsonDocument document = JsonDocument.Parse(_bench.Out);
        return [.. document.RootElement.Clone().GetProperty("runs").EnumerateArray()];
    }

    /// <summary>The simulated engine, after some runs of which the user presses Ctrl-C.</summary>
    private sealed class StoppingEngine(CancellationTokenSource stop, int afterRuns) : IEngine
    {
        private readonly SimulatedEngine _engine = new();
        private int _runs;

        public string Name => _engine.Name;

        public string? Refuses(RunRequest request) => _engine.Refuses(request);

        public RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken token)
        {
            if (Interlocked.Increment(ref _runs) > afterRuns)
            {
                stop.Cancel();
            }

            return _engine.Run(request, observer, token);
        }
    }
}
