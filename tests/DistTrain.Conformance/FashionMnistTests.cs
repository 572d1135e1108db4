using System.Globalization;
using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Conformance;

/// <summary>These train for seconds on all cores, so nothing runs beside them.</summary>
[CollectionDefinition(nameof(FashionMnistTests), DisableParallelization = true)]
public sealed class FashionMnistCollection;

/// <summary>
/// What asynchrony and robust aggregation promise is a matter of accuracy, so it takes real data: Fashion-MNIST,
/// 784-256-128-10, where it
/// is kept in <c>shared/data</c> beside the project or above it; skipped otherwise.
/// </summary>
[Collection(nameof(FashionMnistTests))]
public sealed class FashionMnistTests(ITestOutputHelper output)
{
    private const int Epochs = 3;
    private const int Seeds = 3;

    private static readonly Lazy<RunData?> Rows = new(Load);
    private static readonly ByzantineReplica Liar = new(Replica: 2, Factor: -10);

    public static TheoryData<string> Engines => [.. Trainers.EngineNames];

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public void AsynchronousTrainingIsAsGoodAsSynchronous(string engine)
    {
        ParameterServerSettings server = new() { Shards = 2 };
        double sync = MeanAccuracy(engine, "sync", seed => Settings(seed) with { Replicas = 2, ParameterServer = server });
        double async = MeanAccuracy(
            engine, "async", seed => Settings(seed) with { Replicas = 2, ParameterServer = server with { Consistency = Consistency.Async } });
        double ssp = MeanAccuracy(
            engine, "ssp", seed => Settings(seed) with { Replicas = 2, ParameterServer = server with { Consistency = Consistency.Ssp } });
        double pipeDream = MeanAccuracy(
            engine, "pipedream", seed => Settings(seed) with { Stages = [1, 1, 1], ParameterServer = server, Method = new MethodSettings("pipedream") });

        sync.ShouldBeGreaterThan(0.85);
        async.ShouldBeGreaterThan(sync - 0.015);
        ssp.ShouldBeGreaterThan(sync - 0.015);
        pipeDream.ShouldBeGreaterThan(sync - 0.015);
    }

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public void RobustAggregationTrainsAmongLiarsAndTheMeanDoesNot(string engine)
    {
        RunSettings mean = Settings(1) with { Replicas = 5, Training = new TrainingSettings(Epochs, 320) { EvaluateEvery = Epochs } };
        double honest = Accuracy(Run(engine, "honest mean", mean));
        RunOutcome fooled = Run(engine, "mean with a liar", mean, Liar);
        double krum = Accuracy(Run(engine, "krum with a liar", With(mean, Aggregate.Krum), Liar));
        double trimmed = Accuracy(Run(engine, "trimmed mean with a liar", With(mean, Aggregate.TrimmedMean), Liar));

        (fooled.Status == RunStatus.Diverged || Accuracy(fooled) < 0.2).ShouldBeTrue();
        krum.ShouldBeGreaterThan(honest - 0.02);
        trimmed.ShouldBeGreaterThan(honest - 0.02);
    }

    private static RunSettings With(RunSettings settings, Aggregate aggregate) =>
        settings with { ParameterServer = new ParameterServerSettings { Aggregate = aggregate, ByzantineMax = 1 } };

    /// <summary>The mean over the seeds, whose runs go beside each other where the engine takes one thread.</summary>
    private double MeanAccuracy(string engine, string name, Func<ulong, RunSettings> settings) =>
        ParallelEnumerable.Range(1, Seeds).AsOrdered().WithDegreeOfParallelism(engine == "simulated" ? Environment.ProcessorCount : 1)
            .Select(seed => Accuracy(Run(engine, $"{name}, seed {seed}", settings((ulong)seed)))).ToArray().Average();

    private static double Accuracy(RunOutcome outcome)
    {
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        return outcome.TestAccuracy!.Value;
    }

    private RunOutcome Run(string engine, string name, RunSettings settings, params ByzantineReplica[] liars)
    {
        Skip.If(Rows.Value is null, "Fashion-MNIST is not here (shared/data/fashion-mnist).");
        RunOutcome outcome = Trainers.Run(engine, new RunRequest { Settings = settings, Data = Rows.Value, Byzantine = liars });
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{name}: {outcome.Status}, test accuracy {outcome.TestAccuracy:F4}, {outcome.SamplesPerSecond:F0} rows/s"));
        return outcome;
    }

    private static RunSettings Settings(ulong seed) => new()
    {
        Name = "fashion-mnist",
        Seed = seed,
        Network = new NetworkSpec(
            784, [new DenseSpec(256, ActivationKind.Relu), new DenseSpec(128, ActivationKind.Relu), new DenseSpec(10, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.01) { Momentum = 0.9, Schedule = LearningRateSchedule.Cosine },
        Training = new TrainingSettings(Epochs, 64) { EvaluateEvery = Epochs },
        Stages = [3],
    };

    private static RunData? Load()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "shared", "data", "fashion-mnist");
            if (Directory.Exists(folder))
            {
                IdxSpec spec = new(
                    new IdxFiles("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
                    new IdxFiles("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"))
                {
                    Scaling = new Scaling(Scale: 255, Standardize: Standardization.Global),
                };
                return RunData.From(DataLoader.Load<float>(spec, folder, seed: 1));
            }
        }

        return null;
    }
}
