using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>What the cost model says beforehand is what a run's summary counts afterwards, message by message and byte by byte.</summary>
public sealed class CostModelRunTests
{
    // A machine that is busy for longer than the first retry sends something twice; that run is not undisturbed, and another one is.
    private const int Attempts = 5;

    [Fact]
    public void DrawnRunsSendWhatWasPredicted()
    {
        for (ulong number = 1; number <= 24; number++)
        {
            // A snapshot is left out where the one before is still being written, which depends on the disk; when a run stops early cannot be foreseen.
            RunRequest request = DrawnRun.Of(number);
            RunSettings settings = request.Settings;
            ShouldSendWhatWasPredicted(request with
            {
                Settings = settings with { CheckpointEverySteps = 0, Training = settings.Training with { EarlyStoppingPatience = null } },
            });
        }
    }

    [Fact]
    public void PipeDreamSendsWhatWasPredicted() => ShouldSendWhatWasPredicted(Changed(
        settings => settings with { Method = new MethodSettings("pipedream"), Training = settings.Training with { MicroBatches = 1 } }));

    public static TheoryData<string> Methods => [.. DrawnMethod.Names];

    [Theory]
    [MemberData(nameof(Methods))]
    public void EveryMethodSendsWhatWasPredicted(string method)
    {
        for (ulong number = 1; number <= 6; number++)
        {
            RunRequest request = DrawnMethod.Of(method, 9_000 + number);
            RunSettings settings = request.Settings;
            ShouldSendWhatWasPredicted(request with
            {
                Settings = settings with { CheckpointEverySteps = 0, Training = settings.Training with { EarlyStoppingPatience = null } },
            });
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void EveryMethodSendsWhatWasPredictedWithTwoCopiesOfEachShard(string method)
    {
        for (ulong number = 1; number <= 4; number++)
        {
            RunRequest request = DrawnMethod.Of(method, 9_100 + number);
            RunSettings settings = request.Settings;
            ShouldSendWhatWasPredicted(request with
            {
                Settings = settings with
                {
                    CheckpointEverySteps = 0,
                    Training = settings.Training with { EarlyStoppingPatience = null },
                    ParameterServer = settings.ParameterServer with { Copies = 2 },
                },
            });
        }
    }

    [Theory]
    [InlineData(CompressionKind.None, null)]
    [InlineData(CompressionKind.TopK, 0.5)]
    public void TwoCopiesOfEachShardSendWhatWasPredicted(CompressionKind compression, double? clipNorm) => ShouldSendWhatWasPredicted(Changed(settings => settings with
    {
        Replicas = 2,
        CheckpointEverySteps = 7,
        Optimizer = settings.Optimizer with { ClipNorm = clipNorm },
        ParameterServer = new ParameterServerSettings { Shards = 2, Copies = 2, Compression = compression },
    }));

    [Theory]
    [InlineData(ContributionForm.Gram, 3, 2, Collapse.Input)]
    [InlineData(ContributionForm.Basis, 1, 2, Collapse.All)]
    public void FrontContributionWithTwoCopiesOfEachShardSendsWhatWasPredicted(ContributionForm form, int shares, int shards, Collapse collapse)
    {
        RunRequest request = new FrontRun { Epochs = 3, HiddenLayers = 3, Form = form, Shares = shares, Shards = shards, Collapse = collapse }.Front;
        ShouldSendWhatWasPredicted(request with
        {
            Settings = request.Settings with { ParameterServer = request.Settings.ParameterServer with { Copies = 2 } },
        });
    }

    [Theory]
    [InlineData(Consistency.Async)]
    [InlineData(Consistency.Ssp)]
    public void AsynchronousServersSendWhatWasPredicted(Consistency consistency) => ShouldSendWhatWasPredicted(Changed(settings => settings with
    {
        Replicas = 2, ParameterServer = new ParameterServerSettings { Shards = 2, Consistency = consistency },
    }));

    [Theory]
    [InlineData(ContributionForm.Gram, 1, 1, Collapse.Input)]
    [InlineData(ContributionForm.Gram, 3, 2, Collapse.Input)]
    [InlineData(ContributionForm.Basis, 1, 3, Collapse.Input)]
    [InlineData(ContributionForm.Gram, 3, 2, Collapse.All)]
    [InlineData(ContributionForm.Basis, 1, 1, Collapse.All)]
    public void FrontContributionSendsWhatWasPredicted(ContributionForm form, int shares, int shards, Collapse collapse) =>
        ShouldSendWhatWasPredicted(
            (new FrontRun { Epochs = 3, HiddenLayers = 3, Form = form, Shares = shares, Shards = shards, Collapse = collapse }).Front);

    [Fact]
    public void SnapshotsThatDoNotOverlapAreCounted() => ShouldSendWhatWasPredicted(Changed(settings => settings with { CheckpointEverySteps = 7 }));

    private static RunRequest Changed(Func<RunSettings, RunSettings> change)
    {
        RunSettings settings = change(new RunSettings
        {
            Name = "cost",
            Network = new NetworkSpec(
                7, [new DenseSpec(9, ActivationKind.Tanh), new DenseSpec(6, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Softmax)]),
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.05) { Momentum = 0.9 },
            Training = new TrainingSettings(5, 10, 2) { EvaluateEvery = 2 },
            Stages = [1, 1, 1],
            CheckpointEverySteps = 0,
        });
        return new RunRequest { Settings = settings, Data = SmallData.Classes(settings.Precision, 38, 300, 7, 5), ComputeThreads = 2 };
    }

    private static void ShouldSendWhatWasPredicted(RunRequest request)
    {
        CostEntry cost = CostModel.Of(request.Settings, request.Data.TrainRows, request.Data.TestRows).Methods.Single(entry => entry.Planned);
        cost.Refusal.ShouldBeNull();
        string expected = string.Join(", ", cost.Messages.Select(message => $"{message.Tag} {message.Total}")) + $"; {cost.BytesTotal} bytes";
        string counted = "";

        // On one thread a snapshot is complete before the next is due; a snapshot that comes too soon is left out. What is predicted is a run in a folder, which can go on.
        for (int attempt = 0; attempt < Attempts && counted != expected; attempt++)
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-cost-");
            RunOutcome outcome;
            try
            {
                outcome = Trainers.Run("threads", request with { ComputeThreads = 1, JournalFolder = folder.FullName });
            }
            finally
            {
                folder.Delete(recursive: true);
            }

            outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
            counted = string.Join(", ", outcome.MessagesByType.Where(type => type.Key != "acknowledge").Select(type => $"{type.Key} {type.Value}"))
                + $"; {outcome.BytesSent} bytes";
        }

        counted.ShouldBe(expected, DrawnRun.Describe(request));
    }
}
