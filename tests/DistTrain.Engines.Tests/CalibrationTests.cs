using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests;

public sealed class CalibrationTests
{
    [Fact]
    public void TheRateOfAProductIsFoundFromItsTimes()
    {
        ProductRate rate = new(2e-7, 100, 5e-11);
        (double Flops, double Weights, double Seconds)[] points =
        [
            .. new[] { (1e5, 4e3), (1e6, 1e4), (1e6, 2e5), (5e7, 4e5), (3e6, 3e3) }
                .Select(point => (point.Item1, point.Item2, rate.Seconds + (point.Item1 / (1e9 * rate.Gigaflops)) + (point.Item2 * rate.SecondsPerWeight))),
        ];
        ProductRate found = ProductMeasurements.Fit(points);
        found.Seconds.ShouldBe(rate.Seconds, 1e-12);
        found.Gigaflops.ShouldBe(rate.Gigaflops, 1e-6);
        found.SecondsPerWeight.ShouldBe(rate.SecondsPerWeight, 1e-15);
    }

    [Fact]
    public void NoPartOfARateIsNegative()
    {
        // Times that fall with the weights and start below 0.
        ProductRate found = ProductMeasurements.Fit([(1e6, 1e5, 8e-6), (2e6, 1e4, 2.1e-5), (4e6, 1e5, 4e-5), (8e6, 1e3, 8.4e-5)]);
        found.Seconds.ShouldBeGreaterThanOrEqualTo(0);
        found.Gigaflops.ShouldBeInRange(80, 130);
        found.SecondsPerWeight.ShouldBeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public void AMeasurementThatIsStoppedEnds()
    {
        using CancellationTokenSource stop = new();
        List<double> shares = [];
        Should.Throw<OperationCanceledException>(() => Calibration.Measure(
            "stopped",
            1,
            progress: (_, share) =>
            {
                shares.Add(share);
                stop.Cancel();
            },
            cancel: stop.Token));
        shares.Count.ShouldBe(1);
    }

    [Fact]
    public void AStepClockKnowsUndisturbedSteps()
    {
        StepClock clock = new();
        foreach (int milliseconds in (int[])[0, 1, 2, 12, 13, 14])
        {
            clock.OnStep(new StepProgress(1, 6, 0, 0, 1, 0, RunClock.Still(TimeSpan.FromMilliseconds(milliseconds))));
        }

        clock.SecondsPerStep.ShouldBe(14e-3 / 5, 1e-12);
        clock.Quantile(0, 2).ShouldBe(1e-3, 1e-12);
        clock.Quantile(1, 1).ShouldBe(10e-3, 1e-12);
        new StepClock().SecondsPerStep.ShouldBe(0);
    }
}
