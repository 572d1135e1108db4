using System.Globalization;
using DistTrain.Commands.Runs;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Processes;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>Reads a whole experiment from its nodes, collecting every problem on the way.</summary>
internal sealed class ExperimentReader(
    ConfigMap root, string baseFolder, string fallbackName, IReadOnlyList<string>? engines, ProblemList problems, bool filesAreElsewhere = false)
{
    private static readonly string[] KnownEngines = ["simulated", "threads", "processes", ClusterExperiment.EngineName];

    /// <summary>The keys of the first level.</summary>
    public static IReadOnlyList<string> Sections { get; } =
    [
        "name", "seed", "precision", "data", "network", "loss", "optimizer", "training", "method", "stages", "replicas",
        "parameter-server", "durability", "engine", "checkpoint", "steps-in-flight", "patience", "backup-after", "init", "faults", "compute-threads",
        "simulation", "processes",
    ];

    // What is looked for on the first level and stands below.
    private static readonly (string Section, string[] Keys)[] Below =
    [
        ("training", ["epochs", "batch-size", "micro-batches", "shuffle", "restarts", "early-stopping", "evaluate-every"]),
        ("optimizer", ["learning-rate", "momentum", "nesterov", "weight-decay", "clip-norm", "warm-up-steps"]),
        ("parameter-server", ["shards", "copies", "consistency", "aggregate", "compression"]),
        ("data", ["source", "train", "test", "label", "targets", "header", "test-fraction", "standardize", "asinh", "log-max"]),
        ("checkpoint", ["every-steps", "each-epoch"]),
        ("processes", ["workers"]),
    ];

    private readonly MapReader _root = new(root, "", problems);

    /// <summary>The experiment; null when it is too incomplete to be one (problems were added).</summary>
    public Experiment? Read()
    {
        DataSpec? data = new DataSection(baseFolder, filesAreElsewhere).Read(_root);
        IReadOnlyList<LayerSpec> layers = NetworkSection.Read(_root);
        (TrainingSettings training, int restarts) = ReadTraining();
        int replicas = _root.Whole("replicas", 1, Limits.ReplicasMax) ?? 1;
        string engine = ReadEngine();
        (int EverySteps, bool EachEpoch) checkpoint = ReadCheckpoint();
        Durability? durability = _root.Choice("durability", Names.Durability);
        RunSettings settings = new()
        {
            Name = ReadName(),
            Seed = _root.Seed("seed", 1),
            Precision = _root.Choice("precision", Names.Precision) ?? Precision.Float32,
            Network = new NetworkSpec(0, layers),
            Loss = ReadLoss(layers),
            Optimizer = OptimizerSection.Read(_root),
            Training = training,
            Method = MethodSection.Read(_root),
            Stages = ReadStages(layers),
            Replicas = replicas,
            ParameterServer = ReadParameterServer(),
            CheckpointEverySteps = checkpoint.EverySteps,
            CheckpointEachEpoch = checkpoint.EachEpoch,
            StepsInFlight = _root.Whole("steps-in-flight", 1, Limits.StepsInFlightMax) ?? 2,
            Patience = _root.Duration("patience") ?? TimeSpan.FromMinutes(10),
            BackupAfter = _root.Duration("backup-after"),
        };
        settings = settings with { Durability = durability ?? DefaultDurability(engine, settings) };
        Experiment experiment = new()
        {
            Settings = settings,
            Data = data ?? new GeneratedSpec(GeneratedKind.Xor),
            Engine = engine,
            Restarts = restarts,
            InitFile = ReadInit(),
            ComputeThreads = _root.Whole("compute-threads", 0, 1024) ?? 0,
            Simulation = SimulationSection.Read(_root, baseFolder, out bool measures),
            MeasuresMachine = measures,
            Workers = ProcessesSection.ReadWorkers(_root),
        };
        (IReadOnlyList<Fault> faults, IReadOnlyList<ByzantineReplica> byzantine) = new FaultsSection(experiment.Topology, problems).Read(_root);
        experiment = experiment with { Faults = faults, Byzantine = byzantine };
        _root.Finish(key => Array.Find(Below, place => place.Keys.Contains(key)) is { Section: string section }
            ? $"there is no such key; expected {section}.{key}"
            : null);
        return data is null || layers.Count == 0 ? null : experiment;
    }

    private string ReadName()
    {
        string name = _root.Text("name", "a name for the run") ?? fallbackName;
        if (name.Length > 100 || name.Any(c => !char.IsLetterOrDigit(c) && c is not ('-' or '_' or '.' or ' ')))
        {
            _root.Problem(
                "name", $"'{name}' cannot name a run folder; expected at most 100 letters, digits, spaces, '-', '_' and '.'");
        }

        return name;
    }

    /// <summary>Where actors live in processes of their own, each may die alone, and a run should not lose steps by that. On a cluster copies see to it where a log
    /// cannot.</summary>
    private static Durability DefaultDurability(string engine, RunSettings settings) => engine switch
    {
        ProcessesEngine.EngineName => Durability.Step,
        ClusterExperiment.EngineName when ClusterLog.Problem(settings) is null => Durability.Step,
        _ => Durability.Memory,
    };

    private string ReadEngine()
    {
        string engine = _root.Text("engine", "the name of an engine") ?? "threads";
        if (engines is null || engines.Contains(engine))
        {
            return engine;
        }

        string expected = $"expected {MapReader.OneOf([.. Nearest.Ranked(engine, engines)])}";
        _root.Problem("engine", KnownEngines.Contains(engine)
            ? $"this program has no engine '{engine}'{(engine == "akka" ? " (the cluster executable has: src/DistTrain.Akka)" : "")}; {expected}"
            : $"'{engine}' is no engine; {expected}{Nearest.Hint(engine, engines)}");
        return engine;
    }

    private LossKind ReadLoss(IReadOnlyList<LayerSpec> layers)
    {
        bool softmax = layers.Count > 0 && layers[^1] is DenseSpec { Activation: ActivationKind.Softmax };
        if (!softmax && layers.Count > 0)
        {
            _root.Required(
                "loss", $"{MapReader.OneOf(Names.Loss.Names)} (cross-entropy is the default only behind a final softmax)");
        }

        return _root.Choice("loss", Names.Loss) ?? LossKind.CrossEntropy;
    }

    private (TrainingSettings Training, int Restarts) ReadTraining()
    {
        const string expected = "{ epochs: …, batch-size: … }";
        if (_root.Required("training", expected) is null || _root.Group("training", expected) is not MapReader reader)
        {
            return (new TrainingSettings(1, 1), 1);
        }

        int? patience = null;
        if (reader.Group("early-stopping", "{ patience: EVALUATIONS }") is MapReader stopping)
        {
            patience = stopping.RequiredWhole("patience", 1);
            stopping.Finish();
        }

        TrainingSettings training = new(
            reader.RequiredWhole("epochs", 1),
            reader.RequiredWhole("batch-size", 1),
            reader.Whole("micro-batches", 1, Limits.MicroBatchesMax) ?? 1,
            reader.Flag("shuffle", true))
        {
            EvaluateEvery = reader.Whole("evaluate-every", 1) ?? 1,
            EarlyStoppingPatience = patience,
        };
        int restarts = reader.Whole("restarts", 1, 1000) ?? 1;
        reader.Finish();
        return (training, restarts);
    }

    private IReadOnlyList<int> ReadStages(IReadOnlyList<LayerSpec> layers)
    {
        if (layers.Count == 0)
        {
            _root.Node("stages");
            return [];
        }

        IReadOnlyList<int> groups = StageSplit.Default(layers);
        switch (_root.Node("stages"))
        {
            case null:
                return groups;
            case ConfigScalar:
                int stages = _root.Whole("stages", 1) ?? groups.Count;
                if (stages <= groups.Count)
                {
                    return StageSplit.Into(layers, stages);
                }

                _root.Problem(
                    "stages", $"{stages} is out of range; expected {NumberRange.Whole(1, groups.Count)}, "
                    + $"for the network falls into {groups.Count} parts (dropout joins the layer before it, "
                    + "tied layers stay together)");
                return groups;
            case ConfigList list:
                return ReadStageList(list, layers.Count) ?? groups;
            default:
                _root.Problem(
                    "stages", "a group of keys is no number of stages; expected a whole number or a list of layer counts such "
                    + "as [2, 1]");
                return groups;
        }
    }

    private int[]? ReadStageList(ConfigList list, int layers)
    {
        List<int> counts = [];
        foreach (ConfigNode item in list.Items)
        {
            if (item is not ConfigScalar { Plain: true } scalar
                || !int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1)
            {
                problems.Add(
                    item.Mark, KeyPath.Item("stages", counts.Count), $"{item.Description} is no number of layers; "
                        + $"expected {NumberRange.Whole(1, layers)}");
                return null;
            }

            counts.Add(count);
        }

        if (counts.Sum(count => (long)count) == layers)
        {
            return [.. counts];
        }

        _root.Problem(
            "stages", $"the stages have {counts.Sum(count => (long)count)} layers together, and the network has {layers}; "
            + $"expected counts that add up to {layers}");
        return null;
    }

    private ParameterServerSettings ReadParameterServer()
    {
        ParameterServerSettings defaults = new();
        if (_root.Group("parameter-server", "settings such as { shards: 2, consistency: sync }") is not MapReader reader)
        {
            return defaults;
        }

        ParameterServerSettings settings = new()
        {
            Shards = reader.Whole("shards", 1, Limits.ShardsMax) ?? defaults.Shards,
            Copies = reader.Whole("copies", 1, 2) ?? defaults.Copies,
            Consistency = reader.Choice("consistency", Names.Consistency) ?? defaults.Consistency,
            StalenessStepsMax =
                reader.Whole("staleness-steps-max", 0, Limits.AsyncStalenessStepsMax) ?? defaults.StalenessStepsMax,
            Aggregate = reader.Choice("aggregate", Names.Aggregate) ?? defaults.Aggregate,
            ByzantineMax = reader.Whole("byzantine-max", 0, Limits.ReplicasMax) ?? defaults.ByzantineMax,
            Compression = reader.Choice("compression", Names.Compression) ?? defaults.Compression,
            TopKRatio = reader.Number("top-k-ratio", NumberRange.Share) ?? defaults.TopKRatio,
        };
        reader.Finish();
        return settings;
    }

    private (int EverySteps, bool EachEpoch) ReadCheckpoint()
    {
        if (_root.Group("checkpoint", "{ every-steps: 200 }") is not MapReader reader)
        {
            return (200, false);
        }

        (int, bool) checkpoint = (reader.Whole("every-steps", 0) ?? 200, reader.Flag("each-epoch", false));
        reader.Finish();
        return checkpoint;
    }

    private string? ReadInit()
    {
        if (_root.Group("init", "{ file: model.safetensors }") is not MapReader reader)
        {
            return null;
        }

        const string expected = "the path of a safetensors file";
        reader.Required("file", expected);
        string? given = reader.Text("file", expected);
        reader.Finish();
        string? full = given is null ? null : Path.GetFullPath(given, baseFolder);
        if (full is not null && !filesAreElsewhere && !File.Exists(full))
        {
            reader.Problem(
                "file", $"the file {given} does not exist (looked for {full}); expected {expected}, "
                + "relative to the experiment file");
        }

        return full;
    }
}
