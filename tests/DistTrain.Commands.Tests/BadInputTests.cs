using DistTrain.Engines;

namespace DistTrain.Commands.Tests;

/// <summary>Every foreseeable mistake: exit code 2, a message that says what and where, and nothing on disk.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void WhenTheExperimentFileIsMissingTheErrorSaysSoAndNamesTheNearestPreset()
    {
        _bench.Run("train", "xro").ShouldBe(2);
        _bench.Error.Trim().ShouldBe(
            "xro: there is no such file, and no preset of that name; expected an experiment file or one of the presets glyphs, xor, spirals or blobs; did you mean 'xor'?");
        _bench.LeftBehind().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("training: { epochs: 2, batch-size: 5 }", "training: { epoch: 2, batch-size: 5 }", "my.yaml:12: training.epoch: there is no such key; expected epochs, ", "did you mean 'epochs'?")]
    [InlineData("seed: 3", "sede: 3", "my.yaml:2: sede: there is no such key", "did you mean 'seed'?")]
    [InlineData("train-rows: 20", "train_rows: 20", "my.yaml:5: data.train_rows: there is no such key", "did you mean 'train-rows'?")]
    [InlineData("train-rows: 20", "header: true", "my.yaml:5: data.header: source blobs has no such setting (csv has)", "expected train-rows, ")]
    [InlineData("{ units: 4, activation: relu }", "{ unit: 4, activation: relu }", "my.yaml:8: network[0].dense.unit: there is no such key", "did you mean 'units'?")]
    [InlineData("- dense: { units: 4, activation: relu }", "- dens: { units: 4, activation: relu }", "my.yaml:8: network[0]: 'dens' is no kind of layer", "did you mean 'dense'?")]
    public void WhenAKeyIsUnknownTheErrorNamesItsLineAndTheNearestKey(string line, string wrong, string message, string also)
    {
        _bench.RunChanged(line, wrong).ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.Error.ShouldContain(also);
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("epochs: 2", "epochs: two", "my.yaml:12: training.epochs: 'two' is not a whole number; expected a whole number of at least 1")]
    [InlineData("epochs: 2", "epochs: 2.5", "my.yaml:12: training.epochs: '2.5' is not a whole number; expected a whole number of at least 1")]
    [InlineData("epochs: 2", "epochs: \"2\"", "my.yaml:12: training.epochs: the text \"2\" is not a whole number; expected a whole number of at least 1")]
    [InlineData("learning-rate: 0.1", "learning-rate: fast", "my.yaml:11: optimizer.learning-rate: 'fast' is not a number; expected a number above 0")]
    [InlineData("learning-rate: 0.1", "learning-rate: .nan", "my.yaml:11: optimizer.learning-rate: '.nan' is not a number; expected a number above 0")]
    [InlineData("learning-rate: 0.1", "learning-rate: -1", "my.yaml:11: optimizer.learning-rate: -1 is out of range; expected a number above 0")]
    [InlineData("activation: relu", "activation: relu, bias: yes", "my.yaml:8: network[0].dense.bias: 'yes' is neither true nor false; expected true or false")]
    [InlineData("seed: 3", "seed: -3", "my.yaml:2: seed: '-3' is not a seed; expected a whole number from 0 to 18446744073709551615")]
    [InlineData("seed: 3", "patience: 10", "my.yaml:2: patience: '10' is not a duration; expected a number above 0 with its unit, such as 500ms, 30s, 10m or 1h")]
    [InlineData("training: { epochs: 2, batch-size: 5 }", "training: 5", "my.yaml:12: training: '5' is not a group of keys; expected { epochs: …, batch-size: … }")]
    [InlineData("units: 4", "units: 0", "my.yaml:8: network[0].dense.units: 0 is out of range; expected a whole number from 1 to 10000000")]
    [InlineData("seed: 3", "replicas: 1000", "my.yaml:2: replicas: 1000 is out of range; expected a whole number from 1 to 256")]
    [InlineData("seed: 3", "seed: 3\nname: again", "my.yaml:3: name: this key is given twice, first on line 1; keep one of them")]
    [InlineData("activation: relu", "activation: rleu", "my.yaml:8: network[0].dense.activation: 'rleu' is not known; expected relu, ")]
    [InlineData("name: sgd", "name: adm", "my.yaml:11: optimizer.name: 'adm' is not known; expected adam, ")]
    [InlineData("loss: cross-entropy", "loss: crossentropi", "my.yaml:10: loss: 'crossentropi' is not known; expected cross-entropy, ")]
    [InlineData("source: blobs", "source: blob", "my.yaml:4: data.source: 'blob' is not known; expected blobs, ")]
    [InlineData("activation: relu", "activation: relu, init: gloro", "my.yaml:8: network[0].dense.init: 'gloro' is no initializer; expected glorot, he, lecun or uniform(a, b); did you mean 'glorot'?")]
    [InlineData("activation: relu", "activation: relu, slope: 0.1", "my.yaml:8: network[0].dense.slope: activation relu has no slope")]
    [InlineData("learning-rate: 0.1", "learning-rate: 0.1, beta1: 0.9", "my.yaml:11: optimizer.beta1: sgd has no such setting; expected it with adam or adamw only")]
    [InlineData("learning-rate: 0.1", "nesterov: true, learning-rate: 0.1", "my.yaml:11: optimizer.nesterov: Nesterov's form needs momentum")]
    [InlineData("name: sgd, learning-rate: 0.1", "name: sgd", "my.yaml:11: optimizer.learning-rate: sgd has no default learning rate")]
    [InlineData(", batch-size: 5", "", "my.yaml:12: training.batch-size: this key is missing; expected a whole number of at least 1")]
    [InlineData("loss: cross-entropy", "stages: 3", "my.yaml:10: stages: 3 is out of range; expected a whole number from 1 to 2")]
    [InlineData("loss: cross-entropy", "stages: [1, 2]", "my.yaml:10: stages: the stages have 3 layers together, and the network has 2")]
    [InlineData("seed: 3", "faults: [{ crash: layer-2, at: step 3 }]", "my.yaml:2: faults[0].crash: 'layer-2' is no actor of this run; expected layer-0, ")]
    [InlineData("epochs: 2", "epochs: 99999999999", "my.yaml:12: training.epochs: 99999999999 is out of range; expected a whole number from 1 to 2147483647")]
    [InlineData("seed: 3", "patience: 9000h", "my.yaml:2: patience: 9000h is out of range; expected a duration of at most 1000h")]
    [InlineData("seed: 3", "backup-after: 1001h", "my.yaml:2: backup-after: 1001h is out of range; expected a duration of at most 1000h")]
    [InlineData("seed: 3", "patience: 4s", "patience: 4s is shorter than the longest wait between two retries; expected at least 5s")]
    [InlineData("seed: 3", "epochs: 3", "my.yaml:2: epochs: there is no such key; expected training.epochs")]
    [InlineData("name: sgd, learning-rate: 0.1", "<<: { name: sgd, learning-rate: 0.1 }", "my.yaml:11: optimizer.<<: merge keys are not read")]
    [InlineData("activation: relu }", "activation: relu", "this is not valid YAML: something that begins here or before is not closed; look for a missing } or ]")]
    [InlineData("epochs: 2, batch-size: 5 }", "epochs: 2, batch-size: 5", "my.yaml:")]
    [InlineData("seed: 3", "seed: [1", "my.yaml:")]
    [InlineData("  source: blobs", "  source: blobs\n\ttrain-rows: 20", "my.yaml:5: this is not valid YAML")]
    [InlineData("seed: 3", "checkpoint: {every-steps:3}", "my.yaml:2: checkpoint.every-steps:3: YAML needs a space after a colon; expected every-steps: 3")]
    [InlineData("seed: 3", "init: { file: none.safetensors }", "my.yaml:2: init.file: the file none.safetensors does not exist")]
    public void WhenAValueIsWrongTheErrorNamesItsLineAndWhatWasExpected(string line, string wrong, string message)
    {
        _bench.RunChanged(line, wrong).ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void EveryProblemIsReportedAtOnceInTheOrderOfTheFile()
    {
        _bench.Write("my.yaml", Bench.Good
            .Replace("seed: 3", "sede: 3", StringComparison.Ordinal)
            .Replace("units: 4", "units: 0", StringComparison.Ordinal)
            .Replace("epochs: 2", "epochs: two", StringComparison.Ordinal));
        _bench.Run("train", "my.yaml", "--set", "optimizer.momentum=7").ShouldBe(2);
        string[] lines = _bench.Error.Trim().Split('\n');
        lines.Length.ShouldBe(4);
        lines[0].ShouldStartWith("my.yaml:2: sede: ");
        lines[1].ShouldStartWith("my.yaml:8: network[0].dense.units: ");
        lines[2].ShouldStartWith("my.yaml:12: training.epochs: ");
        lines[3].ShouldBe("--set optimizer.momentum: 7 is out of range; expected a number from 0 up to, but not, 1");
    }

    [Theory]
    [InlineData("data:\n\t- x", "this is not valid YAML")]
    [InlineData("", "the file is empty")]
    [InlineData("- a\n- b", "a list is not an experiment")]
    [InlineData("hello", "'hello' is not an experiment")]
    public void WhenTheFileIsNoExperimentTheErrorSaysWhatItIs(string text, string message)
    {
        _bench.Write("my.yaml", text);
        _bench.Run("train", "my.yaml").ShouldBe(2);
        _bench.Error.ShouldStartWith("my.yaml:");
        _bench.Error.ShouldContain(message);
    }

    [Fact]
    public void WhenDataFilesAreMissingEachIsNamedWithItsLine()
    {
        _bench.RunChanged(
            "  source: blobs\n  train-rows: 20\n  test-rows: 10",
            "  source: csv\n  train: rows.csv\n  test: more.csv\n  label: kind").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:5: data.train: the file rows.csv does not exist");
        _bench.Error.ShouldContain("my.yaml:6: data.test: the file more.csv does not exist");
    }

    [Fact]
    public void WhenARowOfTheDataIsWrongTheErrorNamesTheFileAndNotTheExperiment()
    {
        _bench.Write("rows.csv", "a,b,kind\n1,2,x\n1,oops,y\n");
        _bench.RunChanged("  source: blobs\n  train-rows: 20\n  test-rows: 10", "  source: csv\n  train: rows.csv\n  label: kind").ShouldBe(2);
        _bench.Error.ShouldContain("rows.csv");
        _bench.Error.ShouldContain("oops");
        _bench.Error.ShouldNotContain("my.yaml");
        _bench.LeftBehind("my.yaml", "rows.csv").ShouldBeEmpty();
    }

    [Fact]
    public void WhenASettingOfTheDataDoesNotFitTheErrorHasItsLine()
    {
        _bench.RunChanged("test-rows: 10", "classes: 5000").ShouldBe(2);
        _bench.Error.ShouldStartWith("my.yaml:6: data.classes: 5000 is not from 2 to 1000");
    }

    [Fact]
    public void WhenTheBatchIsLargerThanTheDataTheErrorNamesBoth()
    {
        _bench.RunChanged("batch-size: 5", "batch-size: 21").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:12: training.batch-size: 21 is more than the 20 training rows");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void WhenTheOutputsDoNotFitTheClassesTheErrorNamesTheLastLayer()
    {
        _bench.RunChanged("units: 3", "units: 7").ShouldBe(2);
        _bench.Error.Trim().ShouldBe("my.yaml:9: network[1].dense.units: the last layer has 7 outputs, and the data has 3 classes; expected units: 3");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void WhenATiedLayerDoesNotChainTheErrorNamesIt()
    {
        _bench.RunChanged("  - dense: { units: 3, activation: softmax }", "  - dense: { units: 3, activation: softmax, tied: 0 }").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:9: network[1]: maps 4 values to 3, but the transposed weight of layer 0 maps 4 to 2");
    }

    [Fact]
    public void WhenCrossEntropyGetsNoDistributionTheErrorNamesTheLastLayer()
    {
        _bench.RunChanged("units: 3, activation: softmax", "units: 3, activation: tanh").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:9: network[1]: cross-entropy needs outputs that are a distribution");
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void WithoutASoftmaxTheLossMustBeNamed()
    {
        _bench.RunChanged("activation: softmax }\nloss: cross-entropy", "activation: tanh }").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:1: loss: this key is missing; expected half-squared-error, squared-error, cross-entropy or binary-cross-entropy");
    }

    [Theory]
    [InlineData("seed: 3", "method: backprob", "my.yaml:2: method: 'backprob' is not known; expected backprop", "did you mean 'backprop'?")]
    [InlineData("seed: 3", "method: { name: final-layer-only, schedule: sequential }", "my.yaml:2: method.schedule: 'sequential': final-layer-only runs its passes in an order of its own", "expected no schedule, or one of the methods backprop, feedback-alignment")]
    [InlineData("seed: 3", "method: { name: backprop, schedule: 1f2b }", "my.yaml:2: method.schedule: '1f2b' is not known; expected 1f1b", "did you mean '1f1b'?")]
    [InlineData("seed: 3", "engine: thread", "my.yaml:2: engine: 'thread' is no engine; expected threads", "did you mean 'threads'?")]
    [InlineData("seed: 3", "engine: akka", "my.yaml:2: engine: this program has no engine 'akka' (the cluster executable has: src/DistTrain.Akka); expected threads", "")]
    public void WhenAMethodOrEngineIsUnknownTheErrorListsWhatThereIs(string line, string wrong, string message, string also)
    {
        _bench.RunChanged(line, wrong).ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.Error.ShouldContain(also);
    }

    [Fact]
    public void WhenTheEngineOptionIsUnknownTheErrorNamesTheOption()
    {
        _bench.Run("train", "xor", "--engine", "treads").ShouldBe(2);
        _bench.Error.Trim().ShouldBe("--engine: 'treads' is no engine; expected threads; did you mean 'threads'?");
    }

    [Fact]
    public void WhenTheEngineRefusesARequestItsReasonGetsTheLineOfItsKey()
    {
        using Bench bench = new() { Engine = new FakeEngine { Refusal = "parameter-server.copies: 2 need two nodes; expected 1" } };
        bench.RunChanged("seed: 3", "parameter-server: { copies: 1 }").ShouldBe(2);
        bench.Error.Trim().ShouldBe("my.yaml:2: parameter-server.copies: 2 need two nodes; expected 1");
        bench.LeftBehind("my.yaml").ShouldBeEmpty();
        bench.Engine.Requests.ShouldBeEmpty();
    }

    [Fact]
    public void WhenTheRunFolderCannotBeWrittenTheErrorComesBeforeTraining()
    {
        _bench.Write("file", "");
        _bench.Run("train", "xor", "--out", "file/run").ShouldBe(2);
        _bench.Error.ShouldStartWith("--out file/run: the run folder cannot be written (");
        _bench.Error.ShouldContain("choose another with --out DIR");
        _bench.Engine.Requests.ShouldBeEmpty();
        _bench.LeftBehind("file").ShouldBeEmpty();
    }

    [Fact]
    public void WhenTheRunFolderIsNotEmptyTheErrorSaysWhatToDo()
    {
        Directory.CreateDirectory(_bench.At("old"));
        File.WriteAllText(_bench.At("old", "note.txt"), "");
        _bench.Run("train", "xor", "--out", "old").ShouldBe(2);
        _bench.Error.Trim().ShouldBe("--out old: this folder is not empty; choose another folder, or empty this one first");
        File.WriteAllText(_bench.At("old", "experiment.yaml"), "");
        _bench.Run("train", "xor", "--out", "old").ShouldBe(2);
        _bench.Error.Trim().ShouldBe("--out old: this folder is not empty; to go on with the run in it, use --resume old; for a new run choose another folder");
        _bench.Engine.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("trian", "disttrain: there is no command 'trian'; expected train, plan, evaluate, predict, export, presets, doctor, calibrate, bench, study, paper, soak, dashboard or report; did you mean 'train'?")]
    [InlineData("train --epochs 3", "disttrain train: there is no option '--epochs'; expected ")]
    [InlineData("train --jsn", "did you mean '--json'?")]
    [InlineData("train xor spirals", "disttrain train: 'spirals' is one argument too many")]
    [InlineData("paper kate folder", "disttrain paper kate: 'folder' is one argument too many")]
    [InlineData("paper kate folder", "See disttrain paper kate --help.")]
    [InlineData("train xor --set", "Required argument missing for option: '--set'.")]
    [InlineData("evaluate", "Required argument missing for command: 'evaluate'.")]
    [InlineData("evaluate nowhere", "nowhere: this is not a run folder: it does not exist; expected a folder that `disttrain train` has made")]
    [InlineData("train --resume nowhere", "nowhere: this is not a run folder: it does not exist")]
    [InlineData("presets xr", "disttrain presets: there is no preset 'xr'; expected xor, ")]
    public void WhenTheCommandLineIsWrongTheErrorNamesTheNearestRightWord(string line, string message)
    {
        _bench.Run(line.Split(' ')).ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.LeftBehind().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("training.epochs", "--set training.epochs: expected key=value, for example --set training.epochs=10")]
    [InlineData("training.epoch=3", "--set training.epoch: there is no such key; expected epochs, ")]
    [InlineData("network.2.dense.units=3", "--set network.2.dense.units: '2' is not an item of this list; expected 0 to 1")]
    [InlineData("network[0].dense.units=0", "--set network.0.dense.units: 0 is out of range; expected a whole number from 1 to 10000000")]
    [InlineData("seed.x=3", "--set seed.x: '1' (at preset xor:3) has no keys below it")]
    [InlineData("training=[", "--set training: this is not valid YAML")]
    public void WhenAnOverrideIsWrongTheErrorNamesTheOption(string assignment, string message)
    {
        _bench.Run("train", "xor", "--set", assignment).ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.LeftBehind().ShouldBeEmpty();
    }

    [Fact]
    public void WhenSomethingUnexpectedHappensThereIsOneLineAndNoStackTrace()
    {
        using Bench bench = new() { Engine = new FakeEngine { Throws = new InvalidOperationException("surprise") } };
        bench.Run("train", "xor").ShouldBe(3);
        bench.Error.ShouldContain("disttrain: unexpected InvalidOperationException: surprise");
        bench.Error.ShouldContain("DISTTRAIN_TRACE=1");
        bench.Error.ShouldNotContain("   at ");
    }
}
