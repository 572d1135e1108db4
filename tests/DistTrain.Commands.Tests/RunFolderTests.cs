using System.Security.Cryptography;
using System.Text.Json;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;

namespace DistTrain.Commands.Tests;

public sealed class RunFolderTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void ARunLeavesEverythingInAFolderNamedAfterItAndItsTime()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml").ShouldBe(0, _bench.Error);
        string run = _bench.At("runs", "small-20260102-030405");
        Directory.EnumerateFileSystemEntries(run).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
            .ShouldBe(["data.json", "experiment.yaml", "journal", "metrics.jsonl", "model.safetensors", "summary.json"]);
        _bench.Run("train", "my.yaml").ShouldBe(0);
        Directory.Exists(run + "-2").ShouldBeTrue();
        _bench.Error.ShouldBeEmpty();
    }

    [Fact]
    public void TheOutputSaysWhatRanAndWhatCameOut()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "here").ShouldBe(0);
        string[] lines = _bench.Out.TrimEnd().Split('\n');
        lines.ShouldContain("data      blobs: 20 training and 10 test rows, 2 inputs, 3 classes");
        lines.ShouldContain("network   2 > 4 relu > 3 softmax, 27 parameters, cross-entropy");
        lines.ShouldContain("training  2 epochs, batches of 5, sgd with learning rate 0.1");
        lines.ShouldContain("method    backprop (1f1b) on 2 stages, engine threads, float32, seed 3");
        lines.ShouldContain("folder    here");
        lines.ShouldContain(line => line.StartsWith("epoch 2/2  loss 0.1250  accuracy 50 %", StringComparison.Ordinal));
        lines.ShouldContain("result    completed 2 epochs, 8 steps in 1.00 s, 1,000 samples/s");
        lines.ShouldContain("accuracy  75 % on training rows");
        lines[^1].ShouldBe("next      disttrain evaluate here");
    }

    [Fact]
    public void OnATerminalTheSameFactsStandInATable()
    {
        using Bench bench = new() { Interactive = true };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "here").ShouldBe(0, bench.Error);
        foreach (string fact in new[] { "2 > 4 relu > 3 softmax", "completed 2 epochs, 8 steps in 1.00 s", "75 % on training rows", "disttrain evaluate here" })
        {
            bench.Out.ShouldContain(fact);
        }
    }

    [Fact]
    public void AFailedRunNamesNoModelThatIsNotThere()
    {
        _bench.Write("my.yaml", Bench.Good + "\nengine: simulated\npatience: 5s\nsimulation: { drop: 0.99 }\n");
        _bench.RunOn([new SimulatedEngine()], "train", "my.yaml", "--out", "here").ShouldBe(3, _bench.Error);
        File.Exists(_bench.At("here", "model.safetensors")).ShouldBeFalse();
        _bench.Out.ShouldContain("result    failed after");
        _bench.Out.ShouldContain("next      disttrain train --resume here");
        _bench.Out.ShouldNotContain("model.safetensors");
    }

    [Fact]
    public void TheSummaryHasEveryKeyOfTheContractAndNullForWhatIsNotANumber()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(_bench.At("run", "summary.json")));
        summary.RootElement.EnumerateObject().Select(property => property.Name).ShouldBe(
        [
            "name", "method", "engine", "seed", "precision", "status", "reason", "steps", "epochs", "final_loss", "train_accuracy",
            "test_loss", "test_accuracy", "weights_sha256", "samples_per_second", "wall_seconds", "virtual_seconds", "messages",
            "bytes_sent", "steps_redone", "restarts",
        ]);
        summary.RootElement.GetProperty("status").GetString().ShouldBe("completed");
        summary.RootElement.GetProperty("steps").GetInt64().ShouldBe(8);
        summary.RootElement.GetProperty("virtual_seconds").ValueKind.ShouldBe(JsonValueKind.Null);
        summary.RootElement.GetProperty("test_accuracy").ValueKind.ShouldBe(JsonValueKind.Null);
        summary.RootElement.GetProperty("messages").GetProperty("sent").GetInt64().ShouldBe(5);
        summary.RootElement.GetProperty("messages").GetProperty("by_type").GetProperty("activation").GetInt64().ShouldBe(3);
        RunSummary read = RunSummary.Read(_bench.At("run", "summary.json")).ShouldNotBeNull();
        read.ToJson().ShouldBe(File.ReadAllText(_bench.At("run", "summary.json")));
    }

    [Fact]
    public void WeightsAreHashedByNameNotByLayer()
    {
        byte[] bias = [1, 2, 3, 4], weight = [5, 6, 7, 8];
        string both = ModelFile.Sha256(
        [
            (new("layers.0.weight", 0, 1, 1), weight),
            (new("layers.0.bias", 0, 1, 1), bias),
        ]);
        both.ShouldBe(Convert.ToHexStringLower(SHA256.HashData([1, 2, 3, 4, 5, 6, 7, 8])));
    }

    [Fact]
    public void WithJsonStandardOutputHoldsTheSummaryAndNothingElse()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run", "--json").ShouldBe(0);
        _bench.Out.ShouldBe(File.ReadAllText(_bench.At("run", "summary.json")));
        _bench.Error.ShouldBeEmpty();
        _bench.Run("evaluate", "run", "--json").ShouldBe(0);
        using JsonDocument evaluation = JsonDocument.Parse(_bench.Out);
        evaluation.RootElement.GetProperty("rows").GetInt32().ShouldBe(10);
    }

    [Fact]
    public void MetricsHaveALinePerStepAndEpoch()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
        string[] lines = File.ReadAllLines(_bench.At("run", "metrics.jsonl"));
        lines.Length.ShouldBe(8 + 2);
        lines[4].ShouldBe("""{"type":"epoch","step":4,"epoch":1,"train_loss":0.25,"train_accuracy":0.5,"test_loss":null,"test_accuracy":null,"elapsed_seconds":0.004}""");
        lines[0].ShouldBe("""{"type":"step","step":1,"loss":1,"accuracy":0.5,"rows":5,"total_steps":8,"learning_rate":0.1,"elapsed_seconds":0.001}""");
    }

    [Fact]
    public void LongRunsLogAboutAThousandSteps()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run", "--set", "training.epochs=700").ShouldBe(0);
        File.ReadLines(_bench.At("run", "metrics.jsonl")).Count(line => line.Contains("\"step\",", StringComparison.Ordinal)).ShouldBe(2800 / 3 + 1);
    }

    [Fact]
    public void AStoppedRunSaysHowToGoOnAndGoesOnFromItsSnapshot()
    {
        using Bench bench = new() { Engine = new FakeEngine { StopAt = 5 } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
        bench.Out.ShouldContain("result    stopped as asked at committed step 5, with 1 epoch done, after 1.00 s");
        bench.Out.ShouldContain("next      disttrain train --resume run");
        FakeJournal.Write(bench.At("run", "journal"), 4);
        File.AppendAllText(bench.At("run", "metrics.jsonl"), "{\"type\":\"step\",\"st");
        bench.Run("train", "--resume", "run").ShouldBe(0);
        bench.Engine.Requests[1].ResumeFromStep.ShouldBe(4);
        string[] metrics = File.ReadAllLines(bench.At("run", "metrics.jsonl"));
        metrics.Count(line => line.Contains("\"step\":4,", StringComparison.Ordinal)).ShouldBe(2, "step 4 and its epoch once each");
        metrics.Count(line => line.Contains("\"step\":5,", StringComparison.Ordinal)).ShouldBe(1, "step 5 was reported twice and kept once");
    }

    [Fact]
    public void AFinishedRunSaysSoAndTrainsOnWhenEpochsAreRaised()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
        _bench.Run("train", "--resume", "run").ShouldBe(0);
        _bench.Out.ShouldContain("run is finished: 2 epochs, 8 steps.");
        _bench.Engine.Requests.Count.ShouldBe(1);
        _bench.Run("train", "--resume", "run", "--set", "training.epochs=3").ShouldBe(0);
        _bench.Engine.Requests[1].ResumeFromStep.ShouldBe(8);
        _bench.Engine.Requests[1].Settings.Training.Epochs.ShouldBe(3);
        File.ReadAllText(_bench.At("run", "experiment.yaml")).ShouldContain("epochs: 3");
        _bench.Run("train", "--resume", "run", "--json").ShouldBe(0);
        _bench.Out.ShouldBe(File.ReadAllText(_bench.At("run", "summary.json")));
    }

    [Fact]
    public void AResumeFromAnotherNetworkIsRefusedAndNamesBoth()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
        string before = File.ReadAllText(_bench.At("run", "experiment.yaml"));
        _bench.Run("train", "--resume", "run", "--set", "network.0.dense.units=5").ShouldBe(2);
        _bench.Error.Trim().ShouldBe(
            "--resume run: this would be a resume from another network: the run trains inputs > 4 relu > 3 softmax, and the settings name inputs > 5 relu > 3 softmax; drop the change, or start a new run without --resume");
        _bench.Run("train", "xor", "--resume", "run").ShouldBe(2);
        _bench.Error.ShouldContain("a resume from another network");
        _bench.Run("train", "--resume", "run", "--set", "optimizer.learning-rate=1").ShouldBe(2);
        _bench.Error.ShouldContain("these settings differ: optimizer.learning-rate;");
        _bench.Run("train", "--resume", "run", "--set", "training.epochs=1").ShouldBe(2);
        _bench.Error.ShouldContain("training.epochs: 1 is less than the run's 2");
        _bench.Run("train", "--resume", "run", "--out", "other").ShouldBe(2);
        _bench.Error.ShouldContain("--out: a resumed run goes on in its own folder");
        File.ReadAllText(_bench.At("run", "experiment.yaml")).ShouldBe(before);
        _bench.Engine.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public void OfSeveralRestartsTheSmallestFinalLossIsKept()
    {
        using Bench bench = new()
        {
            Engine = new FakeEngine
            {
                Ending = seed => seed switch
                {
                    3 => (RunStatus.Completed, 0.5),
                    4 => (RunStatus.Diverged, 0.0),
                    _ => (RunStatus.Completed, 0.25),
                },
            },
        };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.restarts=4").ShouldBe(0);
        bench.Out.ShouldContain("seeds     kept 5 of 4, the smallest final loss (3: 0.5000, 4: diverged, 5: 0.2500, 6: 0.2500)");
        bench.Engine.Requests.Select(request => request.Settings.Seed).ShouldBe([3UL, 4UL, 5UL, 6UL]);
        RunSummary summary = RunSummary.Read(bench.At("run", "summary.json")).ShouldNotBeNull();
        summary.Seed.ShouldBe(5UL);
        File.ReadAllBytes(bench.At("run", "model.safetensors")).ShouldBe(File.ReadAllBytes(bench.At("run", "journal", "restart-2", "model.safetensors")));
        File.ReadAllLines(bench.At("run", "metrics.jsonl")).Count(line => line.Contains("\"restart\":3", StringComparison.Ordinal)).ShouldBe(10);
        File.ReadAllText(bench.At("run", "experiment.yaml")).ShouldContain("seed: 3");
    }

    [Fact]
    public void AStoppedSeriesOfRestartsGoesOnWithTheSeedThatItWasIn()
    {
        using Bench bench = new() { Engine = new FakeEngine { Ending = seed => (seed == 4 ? RunStatus.Failed : RunStatus.Completed, 1.0 / seed) } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.restarts=3").ShouldBe(3);
        bench.Engine.Requests.Count.ShouldBe(2);
        bench.Run("train", "--resume", "run").ShouldBe(3);
        bench.Engine.Requests.Select(request => request.Settings.Seed).ShouldBe([3UL, 4UL, 4UL]);
    }

    [Fact]
    public void ASecondProcessIsKeptOutOfAFolderInUse()
    {
        using Bench bench = new() { Engine = new FakeEngine { StopAt = 5 } };
        bench.Run("train", "xor", "--out", "run").ShouldBe(0);
        using (new FileStream(bench.At("run", ".running"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            bench.Run("train", "--resume", "run").ShouldBe(2);
        }

        bench.Error.Trim().ShouldBe("run: another disttrain is training in this folder; wait for its end, or stop it");
        File.Exists(bench.At("run", "summary.json")).ShouldBeTrue();
    }

    [Fact]
    public void ARunThatWasKilledAfterItsEpochsWereRaisedIsNotTakenForFinished()
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
        using Bench failing = new() { Engine = new FakeEngine { Throws = new IOException("killed") } };
        failing.Run("train", "--resume", _bench.At("run"), "--set", "training.epochs=4").ShouldBe(3);
        _bench.Run("train", "--resume", "run").ShouldBe(0);
        _bench.Engine.Requests[^1].Settings.Training.Epochs.ShouldBe(4);
        _bench.Engine.Requests[^1].ResumeFromStep.ShouldBe(8);
    }

    [Fact]
    public void ADivergedRunSaysWhyAndWhatToTry()
    {
        using Bench bench = new() { Engine = new FakeEngine { Ending = _ => (RunStatus.Diverged, double.NaN) } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml").ShouldBe(1);
        bench.Out.ShouldContain("result    diverged after 2 epochs, 8 steps in 1.00 s: the loss of step 3 is not finite; try a smaller learning rate");
        bench.Out.ShouldContain("next      start again, for example with --set optimizer.learning-rate=0.01");
    }

    [Fact]
    public void NoticesOfOneKindAreThinnedOutAndOthersShowAtOnce()
    {
        NoticeFilter filter = new();
        filter.Passes("snapshot of step 200", TimeSpan.FromSeconds(1)).ShouldBeTrue();
        filter.Passes("snapshot of step 400", TimeSpan.FromSeconds(2)).ShouldBeFalse();
        filter.Passes("layer-1 restarts", TimeSpan.FromSeconds(2)).ShouldBeTrue();
        filter.Passes("snapshot of step 600", TimeSpan.FromSeconds(6)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(RunStatus.Completed, 0)]
    [InlineData(RunStatus.Stopped, 0)]
    [InlineData(RunStatus.Diverged, 1)]
    [InlineData(RunStatus.Failed, 3)]
    public void TheExitCodeSaysHowTheRunEnded(RunStatus status, int code)
    {
        using Bench bench = new() { Engine = new FakeEngine { Ending = _ => (status, double.NaN) } };
        bench.Run("train", "xor", "--out", "run").ShouldBe(code);
        RunSummary.Read(bench.At("run", "summary.json")).ShouldNotBeNull().Status.ShouldBe(status);
    }

    [Fact]
    public void WhenTheDiskFailsUnderARunItEndsWithExitCode3AndOneLine()
    {
        using Bench bench = new() { Engine = new FakeEngine { Throws = new IOException("no space left on device") } };
        bench.Run("train", "xor").ShouldBe(3);
        bench.Error.Trim().ShouldBe("disttrain: no space left on device");
    }

    [Theory]
    [InlineData("float32")]
    [InlineData("float64")]
    public void ATrainedModelEvaluatesPredictsExportsAndStartsAnother(string precision)
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run", "--set", $"precision={precision}").ShouldBe(0);
        _bench.Run("evaluate", "run").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldStartWith("blobs, 10 test rows:  loss ");
        _bench.Run("evaluate", "run", "--data", "train").ShouldBe(0);
        _bench.Out.ShouldStartWith("blobs, 20 training rows:  loss ");
        _bench.Run("predict", "run").ShouldBe(0);
        string[] rows = _bench.Out.TrimEnd().Split('\n');
        rows[0].ShouldBe("class,0,1,2");
        rows.Length.ShouldBe(11);
        string[] fields = rows[1].Split(',');
        fields.Skip(1).Sum(double.Parse).ShouldBe(1, 1e-5);
        _bench.Run("export", "run", "--format", "safetensors", "--out", "weights.safetensors").ShouldBe(0);
        File.ReadAllBytes(_bench.At("weights.safetensors")).ShouldBe(File.ReadAllBytes(_bench.At("run", "model.safetensors")));
        _bench.Run("export", "run", "--format", "onx", "--out", "x").ShouldBe(2);
        _bench.Error.ShouldContain("expected safetensors, onnx or tensorboard; did you mean 'onnx'?");
        _bench.Run("train", "my.yaml", "--out", "again", "--set", "init={ file: weights.safetensors }", "--set", $"precision={precision}").ShouldBe(0, _bench.Error);
        _bench.Engine.Requests[1].InitialWeights.ShouldNotBeNull().Keys.ShouldBe(["layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"]);
        _bench.Run("train", "my.yaml", "--out", "other", "--set", "init={ file: weights.safetensors }", "--set", "network.0.dense.units=5").ShouldBe(2);
        _bench.Error.ShouldContain("the tensor 'layers.0.weight' has the shape [4, 2]; the network needs [5, 2]");
    }

    [Fact]
    public void PredictionsOfAFileOfInputsAreThoseOfTheSameRows()
    {
        _bench.Write("rows.csv", "a,b,kind\n1,2,x\n4,1,y\n-3,0.5,z\n2,2,x\n");
        _bench.Write("inputs.csv", "a,b\n1,2\n4,1\n-3,0.5\n2,2\n");
        _bench.Write("my.yaml", Bench.Good.Replace(
            "  source: blobs\n  train-rows: 20\n  test-rows: 10",
            "  source: csv\n  train: rows.csv\n  label: kind\n  standardize: true\n  asinh: 2", StringComparison.Ordinal));
        _bench.Run("train", "my.yaml", "--out", "run", "--set", "training.batch-size=2", "--set", "precision=float64").ShouldBe(0, _bench.Error);
        _bench.Run("predict", "run").ShouldBe(0, _bench.Error);
        double[][] expected = Numbers(_bench.Out);
        _bench.Out.ShouldStartWith("class,x,y,z\n");
        foreach (string file in new[] { "inputs.csv", "rows.csv" })
        {
            _bench.Run("predict", "run", file).ShouldBe(0, _bench.Error);
            double[][] actual = Numbers(_bench.Out);
            actual.Length.ShouldBe(4);
            for (int i = 0; i < 4; i++)
            {
                actual[i].ShouldBe(expected[i], 1e-12);
            }
        }

        _bench.Write("wide.csv", "a,b,c,d\n1,2,3,4\n");
        _bench.Run("predict", "run", "wide.csv").ShouldBe(2);
        _bench.Error.Trim().ShouldBe("wide.csv: the column 'c' is none of the run's; expected its inputs 'a', 'b', and besides them no columns but the run's label, target and split columns");
        _bench.Run("predict", "run", "none.csv").ShouldBe(2);
        _bench.Error.ShouldStartWith("none.csv: there is no such file");
    }

    [Fact]
    public void DoctorFindsNothingWrongHereAndEverythingWrongWithABadExperiment()
    {
        _bench.Run("doctor", "xor").ShouldBe(0, _bench.Out);
        _bench.Out.ShouldContain("ok       pages       none in this program");
        _bench.Out.ShouldContain("experiment  xor: xor: 4 training and 4 test rows, 2 inputs, 2 classes");
        _bench.Write("my.yaml", Bench.Good + "\npatience: 1s\n");
        _bench.Run("doctor", "my.yaml").ShouldBe(1);
        _bench.Out.ShouldContain("PROBLEM  experiment  my.yaml:13: patience: ");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void PresetsAreListedAndPrintedAsFilesThatTrain()
    {
        _bench.Run("presets").ShouldBe(0);
        _bench.Out.ShouldStartWith("glyphs    ");
        _bench.Out.ShouldContain("(the default)");
        _bench.Run("presets", "xor").ShouldBe(0);
        _bench.Write("mine.yaml", _bench.Out);
        _bench.Run("train", "mine.yaml", "--out", "run").ShouldBe(0, _bench.Error);
    }

    [Theory]
    [InlineData("train")]
    [InlineData("plan")]
    [InlineData("evaluate")]
    [InlineData("predict")]
    [InlineData("export")]
    [InlineData("presets")]
    [InlineData("doctor")]
    public void HelpOfEveryVerbShowsExamples(string verb)
    {
        _bench.Run(verb, "--help").ShouldBe(0);
        _bench.Out.ShouldContain("Examples:");
        _bench.Out.ShouldContain($"  disttrain {verb}");
    }

    private static double[][] Numbers(string csv) =>
        [.. csv.TrimEnd().Split('\n').Skip(1).Select(line => line.Split(',').Skip(1).Select(double.Parse).ToArray())];
}
