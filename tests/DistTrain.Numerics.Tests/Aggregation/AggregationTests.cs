using DistTrain.Numerics.Aggregation;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Aggregation;

public sealed class AggregationTests
{
    [Fact]
    public void TheSumIsAddedInReplicaOrder()
    {
        double[] values = [1e16, 1, -1e16, 1];
        Aggregate(values, (r, o) => GradientAggregation.Sum<double>(r, o)).ShouldBe(((1e16 + 1) - 1e16) + 1);
    }

    [Theory]
    [InlineData(new[] { 3.0 }, 3)]
    [InlineData(new[] { 3.0, 5 }, 4)]
    [InlineData(new[] { 9.0, 1, 4 }, 4)]
    [InlineData(new[] { 9.0, 1, 4, 6 }, 5)]
    [InlineData(new[] { double.NaN, 1, 4 }, 4)]
    [InlineData(new[] { 2.0, double.NegativeInfinity, 4 }, 2)]
    public void TheMedianIsTheMiddle(double[] values, double expected)
        => Aggregate(values, (r, o) => GradientAggregation.Median<double>(r, o)).ShouldBe(expected);

    [Theory]
    [InlineData(0, 20)]
    [InlineData(1, 11.0 / 3)]
    [InlineData(2, 4)]
    public void TheTrimmedMeanDropsBothEnds(int trim, double expected)
        => Aggregate([90, 1, 4, 6, -1], (r, o) => GradientAggregation.TrimmedMean<double>(r, trim, o)).ShouldBe(expected, 1e-15);

    [Fact]
    public void TrimmingEverythingIsRefused()
        => Should.Throw<InvalidInputException>(
            () => Aggregate([1, 2, 3, 4], (r, o) => GradientAggregation.TrimmedMean<double>(r, 2, o)))
            .Message.ShouldContain("trim from 0 to 1");

    [Fact]
    public void EveryCoordinateIsAggregatedOnItsOwnAndTheResultMayBeAReplica()
    {
        const int rows = 3, columns = 701;
        Tensor<float>[] replicas = Enumerable.Range(0, 5).Select(_ => new Tensor<float>(rows, columns)).ToArray();
        for (int r = 0; r < 5; r++)
        {
            TestValues.Fill(replicas[r].Span, (ulong)r);
        }

        float[][] copies = replicas.Select(r => r.Span.ToArray()).ToArray();
        GradientAggregation.Median<float>(replicas.Select(r => r.View).ToArray(), replicas[2].View);
        replicas[2].Span.ToArray()
            .ShouldBe(Enumerable.Range(0, rows * columns).Select(i => copies.Select(c => c[i]).Order().ElementAt(2)).ToArray());
        copies[2].CopyTo(replicas[2].Span);
        GradientAggregation.Sum<float>(replicas.Select(r => r.View).ToArray(), replicas[4].View);
        replicas[4].Span.ToArray().ShouldBe(
            Enumerable.Range(0, rows * columns)
                .Select(i => copies[0][i] + copies[1][i] + copies[2][i] + copies[3][i] + copies[4][i]).ToArray());
    }

    [Fact]
    public void KrumPicksAnHonestReplica()
    {
        double[][] gradients = [[100, -50], [1.1, 1], [1, 1], [0.9, 1.1], [1, 1.05]];
        Krum.Select(Distances(gradients), 5, 1).ShouldBe(2);
    }

    [Fact]
    public void KrumDistancesAreThoseOfTheDefinition()
    {
        double[][] gradients = [[0, 0, 0, 0, 0], [1, 2, 3, 4, 5], [1, 1, 1, 1, 1]];
        Distances(gradients).ShouldBe([0, 55, 5, 55, 0, 30, 5, 30, 0]);
    }

    [Fact]
    public void AtAKrumTieTheLowestIndexWinsAndNotANumberLoses()
    {
        Krum.Select(new double[9], 3, 0).ShouldBe(0);
        double[][] gradients = [[double.NaN], [1], [1], [2], [1]];
        Krum.Select(Distances(gradients), 5, 1).ShouldBe(1);
    }

    [Fact]
    public void KrumWithTooFewReplicasIsRefused()
        => Should.Throw<InvalidInputException>(() => Krum.Select(new double[16], 4, 1))
            .Message.ShouldContain("at least 2 · 1 + 3 replicas, not 4");

    private static double[] Distances(double[][] gradients)
    {
        TensorView<double>[] views = gradients.Select(g => new Tensor<double>(1, g.Length, g)).Select(Keep).ToArray();
        var distances = new double[gradients.Length * gradients.Length];
        Krum.PairwiseSquaredDistances<double>(views, distances);
        GC.KeepAlive(Kept);
        return distances;
    }

    private delegate void Aggregation(TensorView<double>[] replicas, TensorView<double> result);

    private static double Aggregate(double[] values, Aggregation aggregation)
    {
        TensorView<double>[] views = values.Select(v => Keep(new Tensor<double>(1, 1, [v]))).ToArray();
        TensorView<double> result = Keep(new Tensor<double>(1, 1));
        aggregation(views, result);
        return result.Span[0];
    }

    private static readonly List<Tensor<double>> Kept = [];

    // A view does not keep its tensor alive; these few live as long as the test run.
    private static TensorView<double> Keep(Tensor<double> tensor)
    {
        Kept.Add(tensor);
        return tensor.View;
    }
}
