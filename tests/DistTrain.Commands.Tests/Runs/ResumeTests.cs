namespace DistTrain.Commands.Tests.Runs;

public sealed class ResumeTests
{
    [Fact]
    public void ARunThatEarlyStoppingEndedSaysSoAndWhatLetsItTrainOn()
    {
        using Bench bench = new() { Engine = new FakeEngine { CompletesAt = 8 } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.early-stopping={ patience: 1 }", "--set", "training.epochs=40").ShouldBe(0, bench.Error);
        bench.Run("train", "--resume", "run").ShouldBe(0);
        bench.Out.Trim().Split('\n').ShouldBe(
        [
            "run is finished: 2 epochs, 8 steps; early stopping ended it before its 40 epochs.",
            "To train on: disttrain train --resume run --set training.early-stopping.patience=2",
            "or, to the last epoch whatever the loss does, with --set training.early-stopping=null",
        ]);
        bench.Run("train", "--resume", "run", "--set", "training.early-stopping.patience=2").ShouldBe(0, bench.Error);
        bench.Engine.Requests[^1].Settings.Training.EarlyStoppingPatience.ShouldBe(2);
        bench.Engine.Requests[^1].ResumeFromStep.ShouldBe(8);
    }

    [Fact]
    public void WithoutEarlyStoppingAnEarlyStoppedRunGoesOnToItsLastEpoch()
    {
        using Bench bench = new() { Engine = new FakeEngine { CompletesAt = 8 } };
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.early-stopping={ patience: 1 }", "--set", "training.epochs=40").ShouldBe(0, bench.Error);
        bench.Run("train", "--resume", "run", "--set", "training.early-stopping=null").ShouldBe(0, bench.Error);
        bench.Out.ShouldContain("completed 40 epochs, 160 steps");
    }

    [Fact]
    public void TheAdviceToAFinishedRunIsTaken()
    {
        using Bench bench = new();
        bench.Write("my.yaml", Bench.Good);
        bench.Run("train", "my.yaml", "--out", "run", "--set", "training.early-stopping={ patience: 1 }").ShouldBe(0, bench.Error);
        bench.Run("train", "--resume", "run").ShouldBe(0);
        bench.Out.Trim().Split('\n').ShouldBe(
            ["run is finished: 2 epochs, 8 steps.", "To train on: disttrain train --resume run --set training.epochs=4"]);
        bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(0, bench.Error);
        bench.Out.ShouldContain("completed 4 epochs, 16 steps");
    }
}
