using System.Globalization;
using DistTrain.Data;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// Writes an experiment with every setting explicit and every path absolute, so that the file alone says what ran; reading it
/// back gives the same experiment.
/// </summary>
internal static class ExperimentWriter
{
    /// <summary>The whole file.</summary>
    public static string Write(Experiment experiment, string comment = "")
    {
        YamlText yaml = new();
        foreach (string line in comment.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            yaml.Comment(line);
        }

        RunSettings run = experiment.Settings;
        yaml.Key("name", run.Name)
            .Key("seed", run.Seed)
            .Key("precision", Names.Precision.NameOf(run.Precision))
            .Group("data", group => WriteData(group, experiment.Data))
            .Group("network", group => WriteNetwork(group, run.Network.Layers))
            .Key("loss", Names.Loss.NameOf(run.Loss))
            .Group("optimizer", group => WriteOptimizer(group, run.Optimizer))
            .Group("training", group => WriteTraining(group, run.Training, experiment.Restarts))
            .Group("method", group => MethodSection.Write(group, run.Method))
            .List("stages", run.Stages.Cast<object>())
            .Key("replicas", run.Replicas)
            .Group("parameter-server", group => WriteParameterServer(group, run.ParameterServer))
            .Key("durability", Names.Durability.NameOf(run.Durability))
            .Key("engine", experiment.Engine)
            .Group("checkpoint", group => group.Key("every-steps", run.CheckpointEverySteps).Key("each-epoch", run.CheckpointEachEpoch))
            .Key("steps-in-flight", run.StepsInFlight)
            .Key("patience", Durations.Format(run.Patience))
            .Key("compute-threads", experiment.ComputeThreads);
        if (run.BackupAfter is TimeSpan limit)
        {
            yaml.Key("backup-after", Durations.Format(limit));
        }

        if (experiment.InitFile is string file)
        {
            yaml.Group("init", group => group.Key("file", file));
        }

        if (experiment.Engine == SimulatedEngine.EngineName || experiment.MeasuresMachine || experiment.Simulation != new SimulationSettings())
        {
            yaml.Group("simulation", group => SimulationSection.Write(group, experiment.Simulation, experiment.MeasuresMachine));
        }

        if (experiment.Engine == ProcessesEngine.EngineName || experiment.Workers > 0)
        {
            yaml.Group("processes", group => ProcessesSection.Write(group, experiment.Workers));
        }

        if (experiment.Byzantine.Count + experiment.Faults.Count > 0)
        {
            yaml.Group("faults", group => FaultItems.Write(group, experiment.Faults, experiment.Byzantine, experiment.Topology));
        }

        return yaml.ToString();
    }

    private static void WriteData(YamlText yaml, DataSpec data)
    {
        yaml.Key("source", data.Source);
        switch (data)
        {
            case IdxSpec idx:
                yaml.Group("train", group => WriteFiles(group, idx.Train));
                if (idx.Test is IdxFiles test)
                {
                    yaml.Group("test", group => WriteFiles(group, test));
                }

                yaml.Key("classes", idx.Classes);
                break;
            case CsvSpec csv:
                WriteCsv(yaml, csv);
                break;
            case LibSvmSpec libsvm:
                yaml.Key("train", libsvm.Train).Key("test", libsvm.Test).Key("features", libsvm.Features);
                break;
            case GeneratedSpec generated:
                WriteGenerated(yaml, generated);
                break;
        }

        yaml.Key("scale", data.Scaling.Scale)
            .Key("asinh", data.Scaling.Asinh)
            .Key("log-max", data.Scaling.LogMax)
            .Key("standardize", Names.Standardize.NameOf(data.Scaling.Standardize))
            .Key("test-fraction", data.TestFraction);
        if (data.TargetsAreInputs)
        {
            yaml.Key("targets", "inputs");
        }
    }

    private static void WriteFiles(YamlText yaml, IdxFiles files) => yaml.Key("images", files.Images).Key("labels", files.Labels);

    private static void WriteCsv(YamlText yaml, CsvSpec csv)
    {
        yaml.Key("train", csv.Train).Key("test", csv.Test).Key("header", csv.Header).Key("skip-lines", csv.SkipLines)
            .Key("label", csv.Label).Key("classes", csv.Classes);
        if (csv.TargetColumns is IReadOnlyList<string> columns)
        {
            yaml.List("targets", columns);
        }

        if (csv.Split is CsvSplit split)
        {
            yaml.Group("split", group => group.Key("column", split.Column).Key("test", split.Test));
        }
    }

    private static void WriteGenerated(YamlText yaml, GeneratedSpec generated)
    {
        if (generated.Kind == GeneratedKind.Xor)
        {
            return;
        }

        yaml.Key("train-rows", generated.TrainRows).Key("test-rows", generated.TestRows);
        if (generated.Kind is GeneratedKind.Spirals or GeneratedKind.Blobs)
        {
            yaml.Key("classes", generated.Classes);
        }

        if (generated.Kind == GeneratedKind.Blobs)
        {
            yaml.Key("inputs", generated.Inputs);
        }

        yaml.Key("noise", generated.Noise).Key("seed", generated.DataSeed);
    }

    private static void WriteNetwork(YamlText yaml, IReadOnlyList<LayerSpec> layers)
    {
        foreach (LayerSpec layer in layers)
        {
            yaml.Item(layer.Kind, LayerSettings(layer));
        }
    }

    private static List<(string Key, object? Value)> LayerSettings(LayerSpec layer)
    {
        switch (layer)
        {
            case DenseSpec dense:
                List<(string, object?)> settings =
                    [("units", dense.Units), ("activation", Names.Activation.NameOf(dense.Activation)), ("bias", dense.Bias)];
                if (dense.Slope is double slope)
                {
                    settings.Add(("slope", slope));
                }

                if (dense.TiedTo is int tied)
                {
                    settings.Add(("tied", tied));
                }

                return [.. settings, .. Init(dense.Initializer)];
            case MaxoutSpec maxout:
                return [("units", maxout.Units), ("pieces", maxout.Pieces), ("bias", maxout.Bias), .. Init(maxout.Initializer)];
            case KCompetitiveSpec k:
                return [("units", k.Units), ("k", k.K), ("alpha", k.Alpha), ("bias", k.Bias), .. Init(k.Initializer)];
            case DropoutSpec dropout:
                return [("rate", dropout.Rate)];
            default:
                throw new ArgumentException($"A {layer.GetType()} is no known layer.", nameof(layer));
        }
    }

    private static IEnumerable<(string Key, object? Value)> Init(InitializerSpec? initializer) => initializer switch
    {
        null => [],
        { Kind: InitializerKind.Uniform } uniform =>
            [("init", string.Create(CultureInfo.InvariantCulture, $"uniform({uniform.Low:R}, {uniform.High:R})"))],
        _ => [("init", Names.Initializer.NameOf(initializer.Kind))],
    };

    private static void WriteOptimizer(YamlText yaml, OptimizerSpec optimizer)
    {
        yaml.Key("name", Names.Optimizer.NameOf(optimizer.Kind)).Key("learning-rate", optimizer.LearningRate);
        foreach ((string key, object? value) in OptimizerSection.OwnSettings(optimizer))
        {
            yaml.Key(key, value);
        }

        yaml.Key("weight-decay", optimizer.WeightDecay)
            .Key("clip-norm", optimizer.ClipNorm)
            .Key("schedule", Names.LearningRate.NameOf(optimizer.Schedule))
            .Key("warm-up-steps", optimizer.WarmUpSteps)
            .Key("step-every", optimizer.StepEvery)
            .Key("gamma", optimizer.Gamma)
            .Key("plateau-patience", optimizer.PlateauPatience);
    }

    private static void WriteTraining(YamlText yaml, TrainingSettings training, int restarts)
    {
        yaml.Key("epochs", training.Epochs)
            .Key("batch-size", training.BatchSize)
            .Key("micro-batches", training.MicroBatches)
            .Key("shuffle", training.Shuffle)
            .Key("evaluate-every", training.EvaluateEvery)
            .Key("restarts", restarts);
        if (training.EarlyStoppingPatience is int patience)
        {
            yaml.Group("early-stopping", group => group.Key("patience", patience));
        }
    }

    private static void WriteParameterServer(YamlText yaml, ParameterServerSettings server) => yaml
        .Key("shards", server.Shards)
        .Key("copies", server.Copies)
        .Key("consistency", Names.Consistency.NameOf(server.Consistency))
        .Key("staleness-steps-max", server.StalenessStepsMax)
        .Key("aggregate", Names.Aggregate.NameOf(server.Aggregate))
        .Key("byzantine-max", server.ByzantineMax)
        .Key("compression", Names.Compression.NameOf(server.Compression))
        .Key("top-k-ratio", server.TopKRatio);
}
