using DistTrain.Numerics.Randomness;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Randomness;

public sealed class RandomStreamTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 8)]
    [InlineData(0, 1003)]
    [InlineData(6, 32)]
    [InlineData(0, 47)]
    [InlineData(8_589_934_580, 12)]
    [InlineData(8_589_934_500, 92)]
    public void ManyElementsAtATimeAreThoseOneByOne(long first, int count)
    {
        var stream = new RandomStream(ulong.MaxValue - 3, RandomPurpose.Dropout, layer: 2, replica: 1, step: (5L << 32) + 7, sample: 9);
        ulong[] elements = new ulong[count];
        stream.UInt64s(first, elements);
        elements.ShouldBe(Enumerable.Range(0, count).Select(i => stream.UInt64(first + i)));
    }

    [Fact]
    public void AnElementIsAFunctionOfItsPositionAlone()
    {
        var stream = new RandomStream(11, RandomPurpose.Dropout, 2, 1, 40, 9);
        ulong[] forward = [.. Enumerable.Range(0, 100).Select(i => stream.UInt64(i))];
        var again = new RandomStream(11, RandomPurpose.Dropout, 2, 1, 40, 9);
        ulong[] backward = [.. Enumerable.Range(0, 100).Reverse().Select(i => again.UInt64(i)).Reverse()];
        backward.ShouldBe(forward);
    }

    [Fact]
    public void EveryPartOfAPositionMakesAnotherStream()
    {
        RandomStream[] streams =
        [
            new(1, RandomPurpose.Initialization), new(2, RandomPurpose.Initialization), new(1, RandomPurpose.Shuffle),
            new(1, RandomPurpose.Initialization, layer: 1), new(1, RandomPurpose.Initialization, replica: 1),
            new(1, RandomPurpose.Initialization, step: 1), new(1, RandomPurpose.Initialization, sample: 1),
            new(1, RandomPurpose.Initialization, step: 1L << 32), new(1, RandomPurpose.Initialization, sample: 1L << 32),
        ];
        streams.SelectMany(stream => Enumerable.Range(0, 50).Select(i => stream.UInt64(i))).ShouldBeUnique();
    }

    [Fact]
    public void UniformNumbersFillTheirIntervalEvenly()
    {
        var stream = new RandomStream(5, RandomPurpose.GeneratedData);
        double[] values = [.. Enumerable.Range(0, 20_000).Select(i => stream.Uniform(i))];
        values.ShouldAllBe(value => value >= 0.0 && value < 1.0);
        values.Average().ShouldBe(0.5, 4 * Math.Sqrt(1.0 / 12 / values.Length));
        int[] counts = [.. Enumerable.Range(0, 10).Select(bin => values.Count(value => (int)(value * 10) == bin))];
        counts.Sum(count => Math.Pow(count - 2000.0, 2) / 2000.0).ShouldBeLessThan(27.9); // χ² with 9 degrees of freedom at 0.1 %.
    }

    [Fact]
    public void BelowStaysBelowItsBound()
    {
        var stream = new RandomStream(5, RandomPurpose.Shuffle);
        int[] values = [.. Enumerable.Range(0, 2000).Select(i => stream.Below(i, 7))];
        values.Distinct().Order().ShouldBe(Enumerable.Range(0, 7));
    }

    [Fact]
    public void NormalNumbersHaveTheMomentsOfTheNormalDistribution()
    {
        var stream = new RandomStream(5, RandomPurpose.Initialization);
        double[] values = [.. Enumerable.Range(0, 40_000).Select(i => stream.Normal(i))];
        double error = 4 / Math.Sqrt(values.Length);
        values.Average().ShouldBe(0.0, error);
        values.Average(x => x * x).ShouldBe(1.0, error * Math.Sqrt(2));
        values.Average(x => x * x * x).ShouldBe(0.0, error * Math.Sqrt(15));
        values.Average(x => x * x * x * x).ShouldBe(3.0, error * Math.Sqrt(96));
        values.Average(x => Math.Abs(x) < 1.0 ? 1.0 : 0.0).ShouldBe(0.682689492, error * 0.47);
    }
}
