using System.Globalization;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Settings;

namespace DistTrain.Conformance.Support;

/// <summary>A small synchronous run drawn from a number: everything that must not change bits, and everything that
/// does.</summary>
internal static class DrawnRun
{
    private const int Inputs = 7;
    private const int Classes = 5;

    /// <summary>The run of a number. The same number always gives the same run.</summary>
    public static RunRequest Of(ulong number)
    {
        Draw draw = new(number);
        (NetworkSpec network, LossKind loss) = Network(draw);
        int replicas = draw.Of(1, 1, 2, 3), microBatches = draw.Of(1, 2, 3, 5);
        ParameterServerSettings server = Server(draw, ref replicas);

        // The last batch of an epoch is often smaller than replicas × micro-batches: parts without rows.
        int batch = (replicas * microBatches) + draw.Below(6);
        int rows = (batch * draw.From(1, 2)) + draw.From(1, batch);
        if (server.Aggregate != Aggregate.Mean && rows % batch < replicas)
        {
            // Every replica has a vote in every step.
            rows -= rows % batch;
        }

        RunSettings settings = new()
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"drawn-{number}"),
            Seed = number,
            Precision = draw.Of(Precision.Float32, Precision.Float64),
            Network = network,
            Loss = loss,
            Optimizer = Optimizer(draw, mayClip: server.Aggregate != Aggregate.Krum),
            Training = new TrainingSettings(draw.From(1, 3), batch, microBatches, draw.Chance(0.7))
            {
                EvaluateEvery = draw.From(1, 2),
                EarlyStoppingPatience = draw.Of<int?>(null, null, 1, 2),
            },
            Method = new MethodSettings("backprop", draw.Of("sequential", "fill-drain", "1f1b")),
            Stages = Stages(draw, network),
            Replicas = replicas,
            ParameterServer = server,
            StepsInFlight = draw.From(1, 3),
            CheckpointEverySteps = draw.Of(0, 1, 2, 200),
        };
        int testRows = draw.Of(0, 1, 9);
        return new RunRequest
        {
            Settings = settings,
            ComputeThreads = draw.From(1, 3),
            Data = loss == LossKind.CrossEntropy
                ? SmallData.Classes(settings.Precision, rows, testRows, Inputs, Classes)
                : SmallData.Mirrored(settings.Precision, rows, testRows, Inputs),
        };
    }

    /// <summary>One line that says what is special about a run.</summary>
    public static string Describe(RunRequest request)
    {
        RunSettings s = request.Settings;
        ParameterServerSettings server = s.ParameterServer;
        string layers = string.Join(", ", s.Network.Layers.Select(layer => layer is DenseSpec dense ? $"{dense.Activation}{dense.Units}" : layer.Kind));
        return $"{s.Name}: [{layers}] stages [{string.Join(", ", s.Stages)}] {s.Precision} {s.Method.Schedule} "
            + $"rows {request.Data.TrainRows}/{request.Data.TestRows} batch {s.Training.BatchSize} micro-batches {s.Training.MicroBatches} "
            + $"epochs {s.Training.Epochs} evaluated every {s.Training.EvaluateEvery} patience {s.Training.EarlyStoppingPatience} "
            + $"replicas {s.Replicas} shards {server.Shards} {server.Aggregate} {server.Compression} {s.Optimizer.Kind} "
            + $"momentum {s.Optimizer.Momentum} clip {s.Optimizer.ClipNorm} {s.Optimizer.Schedule} in flight {s.StepsInFlight} "
            + $"checkpoint {s.CheckpointEverySteps} threads {request.ComputeThreads}";
    }

    private static (NetworkSpec Network, LossKind Loss) Network(Draw draw) => draw.Below(5) switch
    {
        0 => (new NetworkSpec(Inputs, [new DenseSpec(9, ActivationKind.Tanh), new DenseSpec(Classes, ActivationKind.Softmax)]), LossKind.CrossEntropy),
        1 => (new NetworkSpec(
            Inputs,
            [
                new DenseSpec(8, ActivationKind.Prelu), new DropoutSpec(0.3), new DenseSpec(6, ActivationKind.Relu, Bias: false),
                new DenseSpec(Classes, ActivationKind.Softmax),
            ]), LossKind.CrossEntropy),
        2 => (new NetworkSpec(
            Inputs,
            [new KCompetitiveSpec(8, 3, 2.5), new MaxoutSpec(6, 3), new DropoutSpec(0.2), new DenseSpec(Classes, ActivationKind.Softmax)]), LossKind.CrossEntropy),
        3 => (new NetworkSpec(
            Inputs,
            [
                new DenseSpec(6, ActivationKind.Sigmoid), new DenseSpec(4, ActivationKind.Elu), new DropoutSpec(0.1),
                new DenseSpec(6, ActivationKind.Tanh, TiedTo: 1), new DenseSpec(Inputs, ActivationKind.Sigmoid),
            ]), LossKind.HalfSquaredError),
        _ => (new NetworkSpec(
            Inputs,
            [.. Enumerable.Range(0, 5).Select(layer => new DenseSpec(5 + layer, ActivationKind.LeakyRelu)), new DenseSpec(Classes, ActivationKind.Softmax)]),
            LossKind.CrossEntropy),
    };

    /// <summary>Up to four stages, with tied layers together.</summary>
    private static List<int> Stages(Draw draw, NetworkSpec network)
    {
        List<int> stages = [1];
        for (int layer = 1; layer < network.Layers.Count; layer++)
        {
            bool together = network.Layers.Skip(layer).OfType<DenseSpec>().Any(later => later.TiedTo < layer);
            if (stages.Count < 4 && !together && draw.Chance(0.6))
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

    private static ParameterServerSettings Server(Draw draw, ref int replicas)
    {
        Aggregate aggregate = draw.Of(Aggregate.Mean, Aggregate.Mean, Aggregate.Mean, Aggregate.Median, Aggregate.TrimmedMean, Aggregate.Krum);
        replicas = aggregate == Aggregate.Mean ? replicas : 5;
        return new ParameterServerSettings
        {
            Shards = draw.From(1, 4),
            Aggregate = aggregate,
            Compression = draw.Of(CompressionKind.None, CompressionKind.None, CompressionKind.Fp16, CompressionKind.Int8, CompressionKind.TopK),
            TopKRatio = 0.2,
        };
    }

    private static OptimizerSpec Optimizer(Draw draw, bool mayClip)
    {
        OptimizerSpec spec = draw.Below(5) switch
        {
            0 => new OptimizerSpec(OptimizerKind.Sgd, 0.05),
            1 => new OptimizerSpec(OptimizerKind.Sgd, 0.05) { Momentum = 0.9, WeightDecay = 0.01 },
            2 => new OptimizerSpec(OptimizerKind.Sgd, 0.05) { Momentum = 0.8, Nesterov = true },
            3 => OptimizerDefaults.For(OptimizerKind.Adam, 0.01),
            _ => OptimizerDefaults.For(OptimizerKind.AdaGrad, 0.02),
        };
        return spec with
        {
            ClipNorm = draw.Chance(0.3) && mayClip ? 0.2 : null,
            Schedule = draw.Of(LearningRateSchedule.Constant, LearningRateSchedule.Cosine, LearningRateSchedule.ReduceOnPlateau),
            PlateauPatience = 0,
            WarmUpSteps = draw.Of(0, 2),
        };
    }
}
