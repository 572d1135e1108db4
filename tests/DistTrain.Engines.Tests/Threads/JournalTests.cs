using DistTrain.Conformance.Support;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Threads;

/// <summary>Journals that are damaged, of something else, or cannot be written.</summary>
public sealed class JournalTests
{
    [Fact]
    public void AJournalThatIsNotThereHasNoSnapshot()
    {
        using TestFolder folder = new();
        Journal.LastSnapshotStep(folder.Journal).ShouldBeNull();
        ShouldBeRefused(Runs.Of() with { JournalFolder = folder.Journal, ResumeFromStep = 4 }, "no complete snapshot of step 4");
        ShouldBeRefused(Runs.Of() with { ResumeFromStep = 4 }, "no complete snapshot of step 4");
    }

    [Fact]
    public void AnotherStepThanTheNewestIsRefused()
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder);
        ShouldBeRefused(finished with { ResumeFromStep = 11 }, "no complete snapshot of step 11");
    }

    [Fact]
    public void ASnapshotWithoutItsLastPartDoesNotExist()
    {
        using TestFolder folder = new();
        Finished(folder, checkpointEvery: 5);
        Journal.LastSnapshotStep(folder.Journal).ShouldBe(12);
        File.Delete(Path.Combine(folder.Journal, "step-000000012", "coordinator.json"));

        // A snapshot that is due while another is being written is left out.
        Journal.LastSnapshotStep(folder.Journal)!.Value.ShouldBeOneOf(5, 10);
    }

    [Fact]
    public void ADamagedProgressFileIsNamed()
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder);
        string file = Path.Combine(folder.Journal, "step-000000012", "coordinator.json");
        foreach (string content in (string[])["", "null", "{ \"Step\": ", "[1, 2]", "{ \"Step\": \"many\" }"])
        {
            File.WriteAllText(file, content);
            ShouldBeRefused(finished, "coordinator.json");
            Should.Throw<InvalidInputException>(() => Journal.LastSnapshotStep(folder.Journal)).Message.ShouldContain("coordinator.json");
        }
    }

    [Fact]
    public void AProgressOfAnotherStepThanItsFolderIsNamed()
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder);
        string file = Path.Combine(folder.Journal, "step-000000012", "coordinator.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("12", "7", StringComparison.Ordinal));
        ShouldBeRefused(finished with { ResumeFromStep = 7 }, "says step 7");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(200)]
    public void ATruncatedSliceFileIsNamed(int length)
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder);
        string file = Path.Combine(folder.Journal, "step-000000012", "slice-001.safetensors");
        byte[] content = File.ReadAllBytes(file);
        File.WriteAllBytes(file, content[..length]);
        ShouldBeRefused(finished, "slice-001.safetensors");
    }

    [Fact]
    public void AMissingSliceFileIsMissed()
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder);
        File.Delete(Path.Combine(folder.Journal, "step-000000012", "slice-001.safetensors"));
        ShouldBeRefused(finished, "step-000000012");
    }

    [Fact]
    public void AnotherNetworkIsRefused()
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder);
        NetworkSpec wider = new(7, [new DenseSpec(10, ActivationKind.Tanh), new DenseSpec(6, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Softmax)]);
        ShouldBeRefused(With(finished, settings => settings with { Network = wider }), "layers.0.weight of 70 values");
    }

    [Fact]
    public void AnotherPrecisionIsRefused()
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder), other = Runs.Of(settings => settings with { Precision = Precision.Float64 });
        ShouldBeRefused(other with { JournalFolder = folder.Journal, ResumeFromStep = 12 }, "F64");
    }

    [Fact]
    public void AnotherOptimizerIsRefused()
    {
        using TestFolder folder = new();
        RunRequest finished = Finished(folder);
        ShouldBeRefused(With(finished, settings => settings with { Optimizer = OptimizerDefaults.For(OptimizerKind.Adam, 0.01) }), "optimizer");
    }

    [Fact]
    public void AFreshRunInAUsedJournalKeepsItsOwnSnapshots()
    {
        using TestFolder folder = new();
        Finished(folder);
        RunRequest shorter = Runs.Of(settings => settings with { Training = new TrainingSettings(1, 10), CheckpointEverySteps = 1 })
            with { JournalFolder = folder.Journal };
        RunOutcome outcome = new ThreadsEngine().Run(shorter, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        Journal.LastSnapshotStep(folder.Journal).ShouldBe(4);
    }

    [Fact]
    public void AnUnwritableJournalFailsTheRunWithAReason()
    {
        using TestFolder folder = new();
        string file = Path.Combine(folder.Root, "file");
        File.WriteAllText(file, "not a folder");
        RunOutcome outcome = new ThreadsEngine().Run(Runs.Of() with { JournalFolder = Path.Combine(file, "journal") }, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldContain(file);
    }

    [Fact]
    public void AJournalThatVanishesFailsTheRunWithAReason()
    {
        using TestFolder folder = new();
        RunRequest request = Runs.Of(settings => settings with { CheckpointEverySteps = 2 }) with { JournalFolder = folder.Journal };
        Observed observed = new()
        {
            AtStep = step =>
            {
                if (step == 7)
                {
                    Directory.Move(folder.Journal, Path.Combine(folder.Root, "elsewhere"));
                    File.WriteAllText(folder.Journal, "in the way");
                }
            },
        };
        RunOutcome outcome = new ThreadsEngine().Run(request, observed, default);
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldContain(folder.Journal);
    }

    [Fact]
    public void ATestLossThatOverflowsDoesNotBreakTheJournal()
    {
        using TestFolder folder = new();
        double[] train = [.. Enumerable.Range(0, 40).Select(i => (i % 7) / 7.0)], test = [1e200, 1e200, 1e200, 1e200];
        RunRequest request = new()
        {
            Settings = Runs.Settings with
            {
                Precision = Precision.Float64,
                Network = new NetworkSpec(4, [new DenseSpec(3, ActivationKind.Linear), new DenseSpec(2, ActivationKind.Linear)]),
                Loss = LossKind.SquaredError,
                Stages = [1, 1],
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.001),
                Training = new TrainingSettings(2, 5),
            },
            Data = RunData.From(new Data.TrainTest<double>(
                Data.DataSet<double>.FromVectors("train", 4, train, 2, [.. train.Take(20)]),
                Data.DataSet<double>.FromVectors("test", 4, test, 2, [0, 0]))),
            JournalFolder = folder.Journal,
        };
        RunOutcome outcome = new ThreadsEngine().Run(request, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        double.IsFinite(outcome.TestLoss!.Value).ShouldBeFalse();
        Journal.LastSnapshotStep(folder.Journal).ShouldBe(outcome.Steps);
    }

    private static RunRequest Finished(TestFolder folder, int checkpointEvery = 0)
    {
        RunRequest request = Runs.Of(settings => settings with { CheckpointEverySteps = checkpointEvery }) with { JournalFolder = folder.Journal };
        new ThreadsEngine().Run(request, new Observed(), default).Status.ShouldBe(RunStatus.Completed);
        return request with { ResumeFromStep = 12 };
    }

    private static RunRequest With(RunRequest request, Func<RunSettings, RunSettings> change) => request with { Settings = change(request.Settings) };

    private static void ShouldBeRefused(RunRequest request, string names) =>
        Should.Throw<InvalidInputException>(() => new ThreadsEngine().Run(request, new Observed(), default)).Message.ShouldContain(names);
}
