using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tests.Kernels;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Randomness;

public sealed class NormalDistributionTests
{
    /// <summary>Probabilities in all three parts of the algorithm and beside their borders, with quantiles from 60 digits
    /// (mpmath).</summary>
    [Theory]
    [InlineData(0.5, 0.0)]
    [InlineData(0.025, -1.9599639845400543)]
    [InlineData(0.1, -1.2815515655446004)]
    [InlineData(0.975, 1.9599639845400538)]
    [InlineData(0.0749, -1.4402382675279637)]
    [InlineData(0.0751, -1.43882539275254)]
    [InlineData(0.001, -3.0902323061678136)]
    [InlineData(1e-10, -6.361340902404057)]
    [InlineData(1e-12, -7.034483825301132)]
    [InlineData(1e-16, -8.222082216130435)]
    public void AQuantileAgreesWithManyDigits(double probability, double quantile) =>
        NormalDistribution.Quantile(probability).ShouldBe(quantile, 1e-300 + (4e-15 * Math.Abs(quantile)));

    [Fact]
    public void QuantilesAreSymmetric()
    {
        for (int i = 1; i < 512; i++)
        {
            NormalDistribution.Quantile(i / 1024.0).ShouldBe(-NormalDistribution.Quantile(1.0 - (i / 1024.0)));
        }
    }

    [Fact]
    public void NormalNumbersNeverChange()
    {
        var stream = new RandomStream(42, RandomPurpose.Initialization, layer: 3);
        Bits.Of<double>([stream.Normal(0), stream.Normal(1), stream.Normal(1_000_000)]).ShouldBe(
            [4598419220567379701ul, 4610173691153274721ul, 13818833478658821232ul]);
    }
}
