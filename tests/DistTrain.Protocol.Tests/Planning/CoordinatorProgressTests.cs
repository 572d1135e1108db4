using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Planning;

public sealed class CoordinatorProgressTests
{
    private static OptimizerSpec Plateau(int patience) => new(OptimizerKind.Sgd, 1)
    {
        Schedule = LearningRateSchedule.ReduceOnPlateau, Gamma = 0.5, PlateauPatience = patience,
    };

    /// <summary>The expected factors are those of torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5, patience=p),
    /// stepped with these losses.</summary>
    [Theory]
    [InlineData(0, new[] { 1.0, 1.0, 0.9, 0.95, 0.95 }, new[] { 1, 0.5, 0.5, 0.25, 0.125 })]
    [InlineData(2, new[] { 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0 }, new[] { 1, 1, 1, 0.5, 0.5, 0.5, 0.25 })]
    [InlineData(1, new[] { 1.0, 0.99995, 0.9998, 0.9998, 0.99975 }, new[] { 1, 1, 1, 1, 0.5 })]
    [InlineData(1, new[] { 1.0, double.NaN, double.NaN, 0.5, 0.6 }, new[] { 1, 1, 0.5, 0.5, 0.5 })]
    [InlineData(1, new[] { double.NaN, 1.0, 1.0, 1.0 }, new[] { 1, 1, 1, 0.5 })]
    public void ReduceOnPlateauGivesPyTorchsFactors(int patience, double[] losses, double[] factors)
    {
        CoordinatorProgress progress = new();
        List<double> seen = [];
        foreach (double loss in losses)
        {
            progress = progress.AfterEpoch(loss, Plateau(patience));
            seen.Add(progress.RateFactor);
        }

        seen.ShouldBe(factors);
    }

    [Fact]
    public void OtherSchedulesKeepTheFactor()
    {
        CoordinatorProgress progress = new();
        for (int epoch = 0; epoch < 50; epoch++)
        {
            progress = progress.AfterEpoch(1, new OptimizerSpec(OptimizerKind.Sgd, 1) { PlateauPatience = 0 });
        }

        progress.RateFactor.ShouldBe(1);
    }

    [Fact]
    public void ABetterLossStartsThePatienceOfEarlyStoppingAnewAndAReductionDoesNot()
    {
        TrainingSettings training = new(100, 10) { EarlyStoppingPatience = 3 };
        CoordinatorProgress progress = new();
        foreach (double loss in new[] { 1.0, 1.1, 1.1, 0.9, 1.0, 1.0 })
        {
            progress = progress.AfterEpoch(loss, Plateau(0));
            progress.IsOutOfPatience(training).ShouldBeFalse();
        }

        progress.BestLoss.ShouldBe(0.9);
        progress.EvaluationsSinceBest.ShouldBe(2);
        progress.EvaluationsSinceReduction.ShouldBe(0);
        progress.AfterEpoch(1, Plateau(0)).IsOutOfPatience(training).ShouldBeTrue();
        progress.AfterEpoch(1, Plateau(0)).IsOutOfPatience(training with { EarlyStoppingPatience = null }).ShouldBeFalse();
    }

    [Fact]
    public void StepsAddUpUntilTheEpochEndsAndAnUnwatchedEpochChangesNothingElse()
    {
        CoordinatorProgress progress = new CoordinatorProgress { BestLoss = 2, EvaluationsSinceBest = 1 }.AfterStep(1, 3.5, 2, 10).AfterStep(2, 0.5, 1, 5);
        progress.ShouldBe(new CoordinatorProgress
        {
            Step = 2, EpochLossSum = 4, EpochCorrect = 3, EpochRows = 15, BestLoss = 2, EvaluationsSinceBest = 1,
        });
        progress.AfterEpochUnwatched().ShouldBe(new CoordinatorProgress { Step = 2, BestLoss = 2, EvaluationsSinceBest = 1 });
    }
}
