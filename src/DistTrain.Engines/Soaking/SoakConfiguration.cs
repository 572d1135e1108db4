using System.Globalization;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Soaking;

/// <summary>
/// A whole small run drawn from a seed. Every seed draws first what it may use at all and then from that (swarm testing: Groce et al. 2012), so that rare
/// combinations come up as often as common ones.
/// </summary>
internal static class SoakConfiguration
{
    private const int Inputs = 6, Classes = 4, TriesMax = 200, CopiesStream = 2_000, LogStream = 2_003;

    /// <summary>The run of a seed, without faults.</summary>
    public static RunRequest Of(ulong seed)
    {
        for (int attempt = 0; attempt < TriesMax; attempt++)
        {
            RunRequest request = Draw(seed, new Draws(seed, attempt));
            if (new SimulatedEngine().Refuses(request) is null)
            {
                return request;
            }
        }

        throw new InvalidOperationException("No configuration of a seed is served.");
    }

    /// <summary>One line that says what is special about a run.</summary>
    public static string Describe(RunRequest request)
    {
        RunSettings s = request.Settings;
        ParameterServerSettings server = s.ParameterServer;
        string layers = string.Join(", ", s.Network.Layers.Select(layer => layer is DenseSpec dense ? $"{dense.Activation} {dense.Units}" : layer.Kind));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{s.Method.Name} {s.Method.Schedule}, [{layers}] in stages [{string.Join(", ", s.Stages)}], {s.Precision}, {request.Data.TrainRows} rows, "
            + $"batch {s.Training.BatchSize} in {s.Training.MicroBatches} micro-batches, {s.Training.Epochs} epochs, {s.Replicas} replicas, {server.Shards} shards × {server.Copies}, "
            + $"{server.Consistency}, {server.Aggregate}, compression {server.Compression}, {s.Optimizer.Kind}, {s.StepsInFlight} in flight, "
            + $"checkpoint every {s.CheckpointEverySteps}, durability {s.Durability}");
    }

    private static RunRequest Draw(ulong seed, Draws draws)
    {
        IReadOnlyList<string> names = MethodCatalog.Names;
        string method = draws.Chance(0.5) ? "backprop" : names[draws.From(0, names.Count - 1)];
        bool plain = method == "backprop";
        Consistency consistency = plain ? draws.Of(Consistency.Sync, Consistency.Sync, Consistency.Sync, Consistency.Async, Consistency.Ssp) : Consistency.Sync;
        Aggregate aggregate = plain && consistency == Consistency.Sync
            ? draws.Of(Aggregate.Mean, Aggregate.Mean, Aggregate.Mean, Aggregate.Median, Aggregate.TrimmedMean, Aggregate.Krum)
            : Aggregate.Mean;
        int replicas = aggregate != Aggregate.Mean ? 5 : method is "front-contribution" or "pipedream" ? 1 : draws.Of(1, 1, 2, 3);
        int microBatches = draws.Of(1, 1, 2, 3), batch = (replicas * microBatches) + draws.From(0, 5);
        int copies = consistency == Consistency.Sync && new Draws(seed, CopiesStream).Chance(0.4) ? 2 : 1;

        // What makes a log worth having beside copies of shards is lost with the nodes that the soak takes away there.
        bool keepsLog = consistency == Consistency.Sync && method != "pipedream" && copies == 1 && new Draws(seed, LogStream).Chance(0.2);
        int steps = draws.From(2, 6), rows = (batch * (steps - 1)) + draws.From(1, batch), testRows = draws.Of(0, 0, 7);
        NetworkSpec network = Network(draws);
        Precision precision = draws.Of(Precision.Float32, Precision.Float64);
        RunSettings settings = new()
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"soak-{seed}"),
            Seed = seed,
            Precision = precision,
            Network = network,
            Loss = LossKind.CrossEntropy,
            Optimizer = Optimizer(draws, mayClip: aggregate != Aggregate.Krum && consistency == Consistency.Sync, linear: method == "front-contribution"),
            Training = new TrainingSettings(draws.From(1, 4), batch, microBatches, draws.Chance(0.7))
            {
                EvaluateEvery = draws.From(1, 2),
                EarlyStoppingPatience = draws.Of<int?>(null, null, null, 1),
            },
            Method = Method(draws, method),
            Stages = Stages(draws, network, lastAlone: !plain),
            Replicas = replicas,
            ParameterServer = new ParameterServerSettings
            {
                Shards = draws.From(1, 3),
                Copies = copies,
                Consistency = consistency,
                StalenessStepsMax = draws.From(0, 3),
                Aggregate = aggregate,
                Compression = draws.Of(CompressionKind.None, CompressionKind.None, CompressionKind.Fp16, CompressionKind.Int8, CompressionKind.TopK),
                TopKRatio = 0.2,
            },
            StepsInFlight = draws.From(1, 3),
            CheckpointEverySteps = draws.Of(0, 1, 2, 3, 5, 200),
            Durability = keepsLog ? Durability.Step : Durability.Memory,
            Patience = TimeSpan.FromMinutes(2),
        };
        return new RunRequest
        {
            Settings = method == "greedy" ? Unwatched(settings) : settings,
            Data = precision == Precision.Float32
                ? SoakData.Of<float>(rows, testRows, Inputs, Classes, seed)
                : SoakData.Of<double>(rows, testRows, Inputs, Classes, seed),
            Simulation = Machines(draws),
        };
    }

    /// <summary>The same without what watches the loss, whose draws stay what they are for the sake of all that is drawn after them.</summary>
    private static RunSettings Unwatched(RunSettings settings) => settings with
    {
        Training = settings.Training with { EarlyStoppingPatience = null },
        Optimizer = settings.Optimizer.Schedule == LearningRateSchedule.ReduceOnPlateau
            ? settings.Optimizer with { Schedule = LearningRateSchedule.Constant }
            : settings.Optimizer,
    };

    private static MethodSettings Method(Draws draws, string name)
    {
        bool delays = name is "delayed-gradient" or "features-replay" or "synthetic-gradient";
        string schedule = draws.Of("sequential", "fill-drain", "1f1b");
        return (MethodCatalog.Find(name) is { HasSchedule: true } ? new MethodSettings(name, schedule) : new MethodSettings(name)) with
        {
            Form = draws.Of(ContributionForm.Auto, ContributionForm.Gram, ContributionForm.Basis),
            Collapse = draws.Of(Collapse.Input, Collapse.All),
            Shares = name == "front-contribution" ? draws.Of(1, 1, 2) : 1,
            DelaySteps = !delays ? null : name == "synthetic-gradient" ? draws.Of<int?>(null, 0, 1, 2) : draws.Of<int?>(null, null, 0),
            Feedback = draws.Of(FeedbackKind.Random, FeedbackKind.Transposed),
            LocalLoss = draws.Of(LocalRuleKind.Prediction, LocalRuleKind.Similarity, LocalRuleKind.PredictionAndSimilarity),
            Conditioned = draws.Chance(0.5),
        };
    }

    private static NetworkSpec Network(Draws draws)
    {
        List<LayerSpec> layers = [];
        for (int hidden = draws.From(1, 4); hidden > 0; hidden--)
        {
            layers.Add(draws.From(0, 5) switch
            {
                0 => new DenseSpec(draws.From(3, 7), ActivationKind.Prelu),
                1 => new MaxoutSpec(draws.From(3, 6), 2),
                2 => new KCompetitiveSpec(6, 3, 2.5),
                3 => new DenseSpec(draws.From(3, 7), ActivationKind.Relu, Bias: false),
                _ => new DenseSpec(draws.From(3, 7), draws.Of(ActivationKind.Tanh, ActivationKind.LeakyRelu, ActivationKind.Sigmoid)),
            });
            if (draws.Chance(0.15))
            {
                layers.Add(new DropoutSpec(0.2));
            }
        }

        return new NetworkSpec(Inputs, [.. layers, new DenseSpec(Classes, ActivationKind.Softmax)]);
    }

    private static List<int> Stages(Draws draws, NetworkSpec network, bool lastAlone)
    {
        List<int> stages = [1];
        for (int layer = 1; layer < network.Layers.Count; layer++)
        {
            bool last = layer == network.Layers.Count - 1;
            if ((last && lastAlone) || (network.Layers[layer] is not DropoutSpec && stages.Count < 4 && draws.Chance(0.6)))
            {
                stages.Add(1);
            }
            else
            {
                stages[^1]++;
            }
        }

        return stages;
    }

    private static OptimizerSpec Optimizer(Draws draws, bool mayClip, bool linear)
    {
        OptimizerSpec spec = draws.From(0, linear ? 2 : 4) switch
        {
            0 => new OptimizerSpec(OptimizerKind.Sgd, 0.05),
            1 => new OptimizerSpec(OptimizerKind.Sgd, 0.05) { Momentum = 0.9, WeightDecay = 0.01 },
            2 => new OptimizerSpec(OptimizerKind.Sgd, 0.05) { Momentum = 0.8, Nesterov = true },
            3 => OptimizerDefaults.For(OptimizerKind.Adam, 0.01),
            _ => OptimizerDefaults.For(OptimizerKind.AdaGrad, 0.02),
        };
        return spec with
        {
            ClipNorm = mayClip && draws.Chance(0.3) ? 0.2 : null,
            Schedule = draws.Of(LearningRateSchedule.Constant, LearningRateSchedule.Cosine, LearningRateSchedule.ReduceOnPlateau),
            PlateauPatience = 0,
        };
    }

    private static SimulationSettings Machines(Draws draws) => new()
    {
        Latency = TimeSpan.FromMicroseconds(draws.Of(0, 50, 2_000)),
        Jitter = TimeSpan.FromMicroseconds(draws.Of(0, 0, 50, 5_000)),
        BandwidthBytesPerSecond = draws.Of(0, 1e6, 1.25e9),
        JobOverhead = TimeSpan.FromMicroseconds(draws.Of(0, 2, 200)),
        MessageOverhead = TimeSpan.FromMicroseconds(draws.Of(0, 2)),
        Persist = TimeSpan.FromMicroseconds(draws.Of(0, 0, 500, 5_000)),
        SuspectAfter = TimeSpan.FromMicroseconds(draws.Of(0, 1_000, 50_000, 500_000)),
        Nodes = draws.Of(0, 0, 2, 3),
        SlotsPerNode = draws.Of(1, 2),
    };
}
