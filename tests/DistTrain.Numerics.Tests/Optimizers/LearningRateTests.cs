using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Optimizers;

public sealed class LearningRateTests
{
    private static readonly OptimizerSpec Plain = new(OptimizerKind.Sgd, 0.4);

    [Fact]
    public void ConstantStaysAndPlateauIsLeftToOthers()
    {
        LearningRates.At(Plain, 99, 100, 10).ShouldBe(0.4);
        LearningRates.At(Plain with { Schedule = LearningRateSchedule.ReduceOnPlateau }, 99, 100, 10).ShouldBe(0.4);
    }

    [Fact]
    public void StepDropsAfterEveryWholePeriodOfEpochs()
    {
        OptimizerSpec spec = Plain with { Schedule = LearningRateSchedule.Step, StepEvery = 2, Gamma = 0.5 };
        LearningRates.At(spec, 0, 100, 10).ShouldBe(0.4);
        LearningRates.At(spec, 19, 100, 10).ShouldBe(0.4);
        LearningRates.At(spec, 20, 100, 10).ShouldBe(0.2);
        LearningRates.At(spec, 60, 100, 10).ShouldBe(0.05);
    }

    [Fact]
    public void CosineIsTheCosineToTheLastBits()
    {
        OptimizerSpec spec = Plain with { Schedule = LearningRateSchedule.Cosine };
        for (int step = 0; step <= 1000; step++)
        {
            LearningRates.At(spec, step, 1000, 10).ShouldBe(0.4 * 0.5 * (1 + Math.Cos(Math.PI * step / 1000)), 3e-16);
        }

        LearningRates.At(spec, 0, 1000, 10).ShouldBe(0.4);
        LearningRates.At(spec, 2000, 1000, 10).ShouldBe(0, 1e-16);
    }

    [Fact]
    public void WarmUpRisesLinearlyAndMultipliesTheSchedule()
    {
        OptimizerSpec spec = Plain with { WarmUpSteps = 4 };
        Enumerable.Range(0, 6).Select(s => LearningRates.At(spec, s, 100, 10)).ShouldBe([0.1, 0.2, 0.3, 0.4, 0.4, 0.4], 1e-15);
        OptimizerSpec both = spec with { Schedule = LearningRateSchedule.Step, StepEvery = 1, Gamma = 0.5 };
        LearningRates.At(both, 2, 100, 1).ShouldBe(0.3 * 0.25, 1e-15);
    }
}
