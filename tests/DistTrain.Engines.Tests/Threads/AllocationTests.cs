using System.Globalization;
using DistTrain.Conformance.Support;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Threads;

/// <summary>Collections and allocated bytes are the process's, so these tests run while no other test does.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationCollection;

/// <summary>What a run allocates once it repeats its steps: messages of at most 256 bytes, and nothing that grows with the
/// network.</summary>
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    private const long FirstStep = 1_000;
    private const long LastStep = 11_000;

    [Fact]
    public void TenThousandStepsCauseNoCollectionOfAnOlderGeneration()
    {
        Measured measured = Measure(width: 8);
        (measured.Gen1, measured.Gen2).ShouldBe((0, 0), measured.ToString());
    }

    [Fact]
    public void AMessageCostsAtMost256Bytes()
    {
        Measured measured = Measure(width: 8);
        (measured.BytesPerStep / measured.MessagesPerStep).ShouldBeLessThanOrEqualTo(256, measured.ToString());
    }

    [Fact]
    public void NothingAllocatedGrowsWithTheNetwork()
    {
        Measured narrow = Measure(width: 8), wide = Measure(width: 256);

        // One array of a wide layer's outputs per micro-batch would be 4,096 bytes a step. How many acknowledgements travel alone
        // depends on timing, which is worth up to about 1,000.
        (wide.BytesPerStep - narrow.BytesPerStep).ShouldBeLessThan(2_048, $"narrow: {narrow}; wide: {wide}");
    }

    [Fact]
    public void NothingAllocatedGrowsWithHistories()
    {
        MethodSettings method = new("front-contribution") { Form = ContributionForm.Basis, Collapse = Collapse.All };
        Measured narrow = Measure(width: 8, method), wide = Measure(width: 64, method);

        // A step's factors of the wide layer would be 2,048 bytes, its history more.
        (wide.BytesPerStep - narrow.BytesPerStep).ShouldBeLessThan(1_024, $"narrow: {narrow}; wide: {wide}");
        (wide.Gen1, wide.Gen2).ShouldBe((0, 0), wide.ToString());
    }

    private static Measured Measure(int width, MethodSettings? method = null)
    {
        RunSettings settings = Runs.Settings with
        {
            Network = new NetworkSpec(
                8,
                [
                    new DenseSpec(width, ActivationKind.Relu), new DenseSpec(width, ActivationKind.Relu),
                    new DenseSpec(4, ActivationKind.Softmax),
                ]),
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.01) { Momentum = 0.9 },
            Training = new TrainingSettings(1, 4, 2, Shuffle: false),
            ParameterServer = new ParameterServerSettings { Shards = 2 },
            Method = method ?? Runs.Settings.Method,
        };
        Meter meter = new();
        RunOutcome outcome = new ThreadsEngine().Run(
            new RunRequest
            {
                Settings = settings,
                Data = SmallData.Classes(Precision.Float32, (int)(LastStep + 100) * 4, 0, 8, 4),
                ComputeThreads = 2,
            },
            meter,
            default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        return meter.Result((double)outcome.MessagesByType.Sum(pair => pair.Value) / outcome.Steps);
    }

    private sealed record Measured(double BytesPerStep, double MessagesPerStep, int Gen1, int Gen2)
    {
        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{BytesPerStep:F0} bytes and {MessagesPerStep:F1} messages a step, {Gen1} collections of generation 1 and {Gen2} of generation 2");
    }

    private sealed class Meter : IRunObserver
    {
        private long _bytes;
        private int _gen1, _gen2;
        private Measured? _measured;

        public Measured Result(double messagesPerStep) => _measured! with { MessagesPerStep = messagesPerStep };

        public void OnStep(in StepProgress step)
        {
            if (step.Step == FirstStep)
            {
                (_gen1, _gen2) = (GC.CollectionCount(1), GC.CollectionCount(2));
                _bytes = GC.GetTotalAllocatedBytes(precise: true);
            }
            else if (step.Step == LastStep)
            {
                double bytes = GC.GetTotalAllocatedBytes(precise: true) - _bytes;
                _measured = new Measured(bytes / (LastStep - FirstStep), 0, GC.CollectionCount(1) - _gen1, GC.CollectionCount(2) - _gen2);
            }
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }
    }
}
