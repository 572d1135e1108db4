using DistTrain.Commands.Experiments;
using DistTrain.Commands.Presets;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Tests;

public sealed class ExperimentTests
{
    private const string Everything =
        """
        name: all of it
        seed: 18446744073709551615
        precision: float64
        data:
          source: blobs
          train-rows: 500
          test-rows: 0
          classes: 5
          inputs: 6
          noise: 0.25
          seed: 9
          scale: 255
          asinh: 20
          log-max: true
          standardize: global
          test-fraction: 0.1
        network:
          - dropout: { rate: 0.2 }
          - dense: { units: 6, activation: leaky-relu, bias: false, slope: 0.2, init: "uniform(-0.5, 0.25)" }
          - maxout: { units: 5, pieces: 3, init: he }
          - k-competitive: { units: 8, k: 3, alpha: 6.26, bias: false, init: lecun }
          - dense: { units: 5, activation: prelu, tied: 3 }
          - dropout: { rate: 0.5 }
          - dense: { units: 5, activation: softmax, init: glorot }
        loss: squared-error
        optimizer: { name: rmsprop, learning-rate: 1e-3, momentum: 0.5, weight-decay: 0.125, smoothing: 0.75, epsilon: 1e-7, clip-norm: 2.5, schedule: step, warm-up-steps: 7, step-every: 3, gamma: 0.5, plateau-patience: 4 }
        training: { epochs: 9, batch-size: 32, micro-batches: 2, shuffle: false, evaluate-every: 3, restarts: 4, early-stopping: { patience: 5 } }
        method: { name: backprop, schedule: fill-drain }
        stages: [2, 1, 4]
        replicas: 4
        parameter-server: { shards: 2, consistency: sync, staleness-steps-max: 5, aggregate: trimmed-mean, byzantine-max: 1, compression: top-k, top-k-ratio: 0.5 }
        engine: threads
        checkpoint: { every-steps: 50 }
        steps-in-flight: 1
        patience: 90s
        compute-threads: 3
        faults:
          - { replica: 2, byzantine: sign-flip, factor: 3.5 }
        """;

    /// <summary>Where each process may die alone, no step is lost by that unless the file says so.</summary>
    [Theory]
    [InlineData("engine: processes", Durability.Step)]
    [InlineData("engine: processes\ndurability: memory", Durability.Memory)]
    [InlineData("engine: threads", Durability.Memory)]
    [InlineData("engine: simulated", Durability.Memory)]
    [InlineData("engine: akka", Durability.Step)]
    [InlineData("engine: akka\ndurability: memory", Durability.Memory)]
    [InlineData("engine: akka\nparameter-server: { copies: 2 }", Durability.Memory)]
    [InlineData("engine: akka\nparameter-server: { consistency: async }", Durability.Memory)]
    [InlineData("engine: akka\nmethod: { name: pipedream }", Durability.Memory)]
    public void TheDefaultDurabilityIsTheEngines(string keys, Durability expected) =>
        ExperimentLoader.Parse(new ExperimentSource($"{Bench.Good}\n{keys}\n", "test", "/", "test"), Overrides.None, engines: null)
            .Experiment.Settings.Durability.ShouldBe(expected);

    [Fact]
    public void EveryKeyReachesItsSetting()
    {
        Experiment read = Read(Everything);
        RunSettings settings = read.Settings;
        settings.Name.ShouldBe("all of it");
        settings.Seed.ShouldBe(ulong.MaxValue);
        settings.Precision.ShouldBe(Precision.Float64);
        read.Data.ShouldBe(new GeneratedSpec(GeneratedKind.Blobs)
        {
            TrainRows = 500,
            TestRows = 0,
            Classes = 5,
            Inputs = 6,
            Noise = 0.25,
            DataSeed = 9,
            Scaling = new Scaling(255, 20, true, Standardization.Global),
            TestFraction = 0.1,
        });
        settings.Network.Layers.ShouldBe(
        [
            new DropoutSpec(0.2),
            new DenseSpec(6, ActivationKind.LeakyRelu, false, 0.2, null, new InitializerSpec(InitializerKind.Uniform, -0.5, 0.25)),
            new MaxoutSpec(5, 3, true, new InitializerSpec(InitializerKind.He)),
            new KCompetitiveSpec(8, 3, 6.26, false, new InitializerSpec(InitializerKind.LeCun)),
            new DenseSpec(5, ActivationKind.Prelu, TiedTo: 3),
            new DropoutSpec(0.5),
            new DenseSpec(5, ActivationKind.Softmax, Initializer: new InitializerSpec(InitializerKind.Glorot)),
        ]);
        settings.Loss.ShouldBe(LossKind.SquaredError);
        settings.Optimizer.ShouldBe(new OptimizerSpec(OptimizerKind.RmsProp, 1e-3)
        {
            Momentum = 0.5,
            WeightDecay = 0.125,
            Smoothing = 0.75,
            Epsilon = 1e-7,
            ClipNorm = 2.5,
            Schedule = LearningRateSchedule.Step,
            WarmUpSteps = 7,
            StepEvery = 3,
            Gamma = 0.5,
            PlateauPatience = 4,
        });
        settings.Training.ShouldBe(new TrainingSettings(9, 32, 2, false) { EvaluateEvery = 3, EarlyStoppingPatience = 5 });
        settings.Method.ShouldBe(new MethodSettings("backprop", "fill-drain"));
        settings.Stages.ShouldBe([2, 1, 4]);
        settings.Replicas.ShouldBe(4);
        settings.ParameterServer.ShouldBe(new ParameterServerSettings
        {
            Shards = 2,
            StalenessStepsMax = 5,
            Aggregate = Aggregate.TrimmedMean,
            ByzantineMax = 1,
            Compression = CompressionKind.TopK,
            TopKRatio = 0.5,
        });
        settings.CheckpointEverySteps.ShouldBe(50);
        settings.StepsInFlight.ShouldBe(1);
        settings.Patience.ShouldBe(TimeSpan.FromSeconds(90));
        read.Restarts.ShouldBe(4);
        read.ComputeThreads.ShouldBe(3);
        read.Byzantine.ShouldBe([new ByzantineReplica(2, -3.5)]);
    }

    [Theory]
    [InlineData(Everything)]
    [InlineData(Bench.Good)]
    public void AResolvedExperimentReadsBackTheSame(string text)
    {
        Experiment first = Read(text);
        string written = ExperimentWriter.Write(first, "A comment.\nAnother.");
        Experiment second = Read(written);
        ExperimentWriter.Write(second, "A comment.\nAnother.").ShouldBe(written);
        second.Settings.Network.Layers.ShouldBe(first.Settings.Network.Layers);
        second.Settings.Stages.ShouldBe(first.Settings.Stages);
        Same(second).ShouldBe(Same(first));
        second.Data.ShouldBe(first.Data);
    }

    [Fact]
    public void ResolvedPathsAreAbsoluteSoThatTheRunFolderStandsAlone()
    {
        using Bench bench = new();
        bench.Write("rows: \"odd\" name.csv", "a,b,kind\n1,2,x\n2,3,y\n");
        const string Csv =
            """
            data: { source: csv, train: 'rows: "odd" name.csv', label: kind, split: { column: a, test: "2" } }
            network: [{ dense: { units: 2, activation: softmax } }]
            optimizer: adam
            training: { epochs: 1, batch-size: 1 }
            """;
        Experiment first = Read(Csv, bench.Folder);
        CsvSpec data = first.Data.ShouldBeOfType<CsvSpec>();
        data.Train.ShouldBe(bench.At("rows: \"odd\" name.csv"));
        data.Split.ShouldBe(new CsvSplit("a", "2"));
        Read(ExperimentWriter.Write(first), "/").Data.ShouldBe(first.Data);
    }

    [Fact]
    public void TargetsMayBeColumnsOrTheInputs()
    {
        using Bench bench = new();
        bench.Write("rows.csv", "1,2,3\n");
        const string Rest = "\nnetwork: [{ dense: { units: 2 } }]\nloss: squared-error\noptimizer: adam\ntraining: { epochs: 1, batch-size: 1 }";
        CsvSpec columns = Read("data: { source: csv, train: rows.csv, header: false, targets: [1, 2] }" + Rest, bench.Folder).Data.ShouldBeOfType<CsvSpec>();
        columns.TargetColumns.ShouldBe(["1", "2"]);
        columns.Header.ShouldBeFalse();
        CsvSpec inputs = Read("data: { source: csv, train: rows.csv, targets: inputs }" + Rest, bench.Folder).Data.ShouldBeOfType<CsvSpec>();
        inputs.TargetsAreInputs.ShouldBeTrue();
        ExperimentWriter.Write(Read(ExperimentWriter.Write(Read("data: { source: csv, train: rows.csv, targets: inputs }" + Rest, bench.Folder)))).ShouldContain("targets: inputs");

        // Whether a cluster is sent the files is no setting of theirs, and stands only where somebody asked.
        ExperimentWriter.Write(Read(ExperimentWriter.Write(Read("data: { source: csv, train: rows.csv, targets: inputs, ship: true }" + Rest, bench.Folder)))).ShouldContain("ship: true");
        ExperimentWriter.Write(Read("data: { source: csv, train: rows.csv, targets: inputs }" + Rest, bench.Folder)).ShouldNotContain("ship");
    }

    [Fact]
    public void JsonIsReadAsWell()
    {
        Experiment read = Read(
            """
            {
              "name": "json",
              "data": { "source": "xor" },
              "network": [ { "dense": { "units": 2, "activation": "softmax" } } ],
              "optimizer": { "name": "sgd", "learning-rate": 0.5 },
              "training": { "epochs": 3, "batch-size": 4 }
            }
            """);
        read.Settings.Name.ShouldBe("json");
        read.Settings.Training.Epochs.ShouldBe(3);
        read.Settings.Loss.ShouldBe(LossKind.CrossEntropy);
    }

    [Theory]
    [InlineData("sgd, learning-rate: 1", 1, 0, 0, 1e-8)]
    [InlineData("adam", 0.001, 0, 0, 1e-8)]
    [InlineData("adamw", 0.001, 0.01, 0, 1e-8)]
    [InlineData("rmsprop", 0.01, 0, 0.99, 1e-8)]
    [InlineData("adagrad", 0.01, 0, 0, 1e-10)]
    [InlineData("adadelta", 1, 0, 0.9, 1e-6)]
    public void AnOptimizersUnsetSettingsAreThoseOfPyTorch(string name, double rate, double decay, double smoothing, double epsilon)
    {
        OptimizerSpec optimizer = Read(Bench.Good.Replace("name: sgd, learning-rate: 0.1", $"name: {name}", StringComparison.Ordinal)).Settings.Optimizer;
        optimizer.LearningRate.ShouldBe(rate);
        optimizer.WeightDecay.ShouldBe(decay);
        optimizer.Smoothing.ShouldBe(smoothing);
        optimizer.Epsilon.ShouldBe(epsilon);
        optimizer.Beta1.ShouldBe(0.9);
        optimizer.Beta2.ShouldBe(0.999);
    }

    [Fact]
    public void OverridesReachGroupsListItemsAndShorthands()
    {
        Experiment read = Read(
            Bench.Good + "\nmethod: backprop",
            overrides: ["network.0.dense.units=32", "network[1].dense.bias=false", "parameter-server.shards=2", "method.schedule=fill-drain", "stages=[2]", "data={ source: xor }", "name=a=b"],
            expectFailure: "name: 'a=b' cannot name a run folder");
        read.ShouldBeNull();
        read = Read(
            Bench.Good + "\nmethod: backprop",
            overrides: ["network.0.dense.units=32", "network[1].dense.bias=false", "parameter-server.shards=2", "method.schedule=fill-drain", "stages=[2]", "data={ source: xor }"]);
        read.Settings.Network.Layers[0].ShouldBeOfType<DenseSpec>().Units.ShouldBe(32);
        read.Settings.Network.Layers[1].ShouldBeOfType<DenseSpec>().Bias.ShouldBeFalse();
        read.Settings.ParameterServer.Shards.ShouldBe(2);
        read.Settings.Method.ShouldBe(new MethodSettings("backprop", "fill-drain"));
        read.Settings.Stages.ShouldBe([2]);
        read.Data.Source.ShouldBe("xor");
    }

    [Theory]
    [InlineData("d r d d", "2 1 1")]
    [InlineData("r d d", "2 1")]
    [InlineData("d r r", "3")]
    [InlineData("d d t0 d", "3 1")]
    [InlineData("d d d t1 d", "1 3 1")]
    [InlineData("d r t0 d", "3 1")]
    public void WithoutStagesEachLayerWithWeightsHasItsOwn(string layers, string stages)
    {
        LayerSpec[] network = [.. layers.Split(' ').Select<string, LayerSpec>(layer => layer[0] switch
        {
            'r' => new DropoutSpec(0.5),
            't' => new DenseSpec(4, ActivationKind.Tanh, TiedTo: layer[1] - '0'),
            _ => new DenseSpec(4, ActivationKind.Tanh),
        })];
        string.Join(' ', StageSplit.Default(network)).ShouldBe(stages);
        int groups = stages.Split(' ').Length;
        for (int count = 1; count <= groups; count++)
        {
            IReadOnlyList<int> split = StageSplit.Into(network, count);
            split.Count.ShouldBe(count);
            split.ShouldAllBe(layersOfStage => layersOfStage >= 1);
            split.Sum().ShouldBe(network.Length);
        }
    }

    [Fact]
    public void EveryPresetIsASoundExperimentWithADescription()
    {
        PresetCatalog.All.Select(preset => preset.Name).ShouldBe(["glyphs", "xor", "spirals", "blobs"]);
        foreach (Preset preset in PresetCatalog.All)
        {
            Experiment read = Read(preset.Text);
            read.Settings.Name.ShouldBe(preset.Name);
            preset.Summary.Length.ShouldBeInRange(20, 120);
            ExperimentWriter.Write(Read(ExperimentWriter.Write(read))).ShouldBe(ExperimentWriter.Write(read));
        }
    }

    [Theory]
    [InlineData("lerning-rate", "learning-rate")]
    [InlineData("learning_rate", "learning-rate")]
    [InlineData("LearningRate", "learning-rate")]
    [InlineData("momentun", "momentum")]
    [InlineData("xyz", null)]
    public void TheNearestWordIsFoundWhereItIsNearEnough(string word, string? expected) =>
        Nearest.To(word, ["momentum", "learning-rate", "gamma"]).ShouldBe(expected);

    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("30s", 30)]
    [InlineData("1.5m", 90)]
    [InlineData("2h", 7200)]
    public void DurationsReadAndWrite(string text, double seconds)
    {
        Durations.TryParse(text, out TimeSpan value).ShouldBeTrue();
        value.TotalSeconds.ShouldBe(seconds);
        Durations.TryParse(Durations.Format(value), out TimeSpan again).ShouldBeTrue();
        again.ShouldBe(value);
    }

    private static Experiment Read(string text, string folder = "/", string[]? overrides = null, string? expectFailure = null)
    {
        ExperimentSource source = new(text, "test.yaml", folder, "test");
        if (expectFailure is not null)
        {
            Should.Throw<InvalidInputException>(() => ExperimentLoader.Parse(source, new Overrides(overrides ?? []), ["threads"])).Message.ShouldContain(expectFailure);
            return null!;
        }

        return ExperimentLoader.Parse(source, new Overrides(overrides ?? []), ["threads"]).Experiment;
    }

    /// <summary>The settings with lists taken out, which records compare by reference.</summary>
    private static RunSettings Same(Experiment experiment) => experiment.Settings with { Network = new NetworkSpec(0, Array.Empty<LayerSpec>()), Stages = Array.Empty<int>() };
}
