using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Kernels;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.FrontContribution;

public sealed class ContributionTileTests : IDisposable
{
    private readonly ComputeScratch _scratch = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TilesOfAllSharesAddUpToTheGramMatrix(int shares)
    {
        const int N = 530, D = 11;
        using Tensor<double> x = new(N, D), k = new(N, N), expected = new(N, N);
        TestValues.Fill(x.Span, 1);
        Gemm.Multiply(x.View, false, x.View, true, expected.View);
        for (int first = 0; first < N; first += ContributionTile.RowsMax)
        {
            int rows = Math.Min(ContributionTile.RowsMax, N - first);
            for (int share = 0; share < shares; share++)
            {
                using Tensor<double> part = ColumnsOf(x, EvenSplit.Part(D, shares, share)), tile = new(rows, first + rows);
                MatrixRows<double> own = new(part.View);
                ContributionTile.Gram(own, first, own, tile.View, symmetric: true, _scratch, null);
                ContributionTile.Add(tile.View, first, k.View, add: share > 0, symmetric: true);
            }
        }

        for (int i = 0; i < k.Span.Length; i++)
        {
            k.Span[i].ShouldBe(expected.Span[i], 1e-14);
        }

        if (shares == 1)
        {
            TestValues.Bits<double>(k.Span).ShouldBe(TestValues.Bits<double>(expected.Span));
        }
    }

    [Fact]
    public void FirstOutputsAndExpansionFollowTheirFormulas()
    {
        const int N = 7, D = 5, H = 3;
        using Tensor<double> x = new(N, D), w = new(H, D), theta = new(N, H), s = new(2, H), result = new(H, D);
        TestValues.Fill(x.Span, 1);
        TestValues.Fill(w.Span, 2);
        TestValues.Fill(theta.Span, 3);
        MatrixRows<double> rows = new(x.View);
        ContributionTile.FirstOutputs(rows, 4, w.View, s.View, _scratch, null);
        Expansion.Write([new(theta.View, 0.75, result.View)], w.View, rows, _scratch, null);
        for (int h = 0; h < H; h++)
        {
            s.View.Row(1)[h].ShouldBe(Enumerable.Range(0, D).Sum(j => x.View.Row(5)[j] * w.View.Row(h)[j]), 1e-15);
            for (int j = 0; j < D; j++)
            {
                double sum = (0.75 * w.View.Row(h)[j]) + Enumerable.Range(0, N).Sum(i => theta.View.Row(i)[h] * x.View.Row(i)[j]);
                result.View.Row(h)[j].ShouldBe(sum, 1e-15);
            }
        }
    }

    [Fact]
    public void ExpandingInOnePassOverBlocksGivesTheBitsOfWholeProducts()
    {
        // More rows than a block of products, more columns than a block of the expansion.
        const int N = 530, D = 1300, H = 9;
        using Tensor<float> x = new(N, D), w = new(H, D), values = new(N, H), velocities = new(N, H);
        using Tensor<float> weights = new(H, D), velocity = new(H, D), expected = new(H, D);
        TestValues.Fill(x.Span, 1);
        TestValues.Fill(w.Span, 2);
        TestValues.Fill(values.Span, 3);
        TestValues.Fill(velocities.Span, 4);
        Expansion.Write(
            [new(values.View, 0.75f, weights.View), new(velocities.View, 0.5f, velocity.View)], w.View, new MatrixRows<float>(x.View), _scratch, new ReverseForkJoin(2));
        foreach ((Tensor<float> theta, float scale, Tensor<float> result) in ((Tensor<float>, float, Tensor<float>)[])[(values, 0.75f, weights), (velocities, 0.5f, velocity)])
        {
            for (int i = 0; i < expected.Span.Length; i++)
            {
                expected.Span[i] = scale * w.Span[i];
            }

            Gemm.Multiply(theta.View, true, x.View, false, expected.View, accumulate: true);
            TestValues.Bits<float>(result.Span).ShouldBe(TestValues.Bits<float>(expected.Span));
        }
    }

    [Fact]
    public void ExpansionWithoutDirectionsTakesThetaAsItIs()
    {
        using Tensor<double> theta = new(5, 2), w = new(2, 5), result = new(2, 5);
        TestValues.Fill(theta.Span, 1);
        TestValues.Fill(w.Span, 2);
        Expansion.Write([new(theta.View, 0.5, result.View)], w.View, null, _scratch, null);
        result.View.Row(1)[4].ShouldBe((0.5 * w.View.Row(1)[4]) + theta.View.Row(4)[1]);
    }

    public void Dispose() => _scratch.Dispose();

    private static Tensor<double> ColumnsOf(Tensor<double> x, (int Start, int Count) part)
    {
        Tensor<double> columns = new(x.Rows, part.Count);
        for (int row = 0; row < x.Rows; row++)
        {
            x.View.Row(row).Slice(part.Start, part.Count).CopyTo(columns.View.Row(row));
        }

        return columns;
    }
}
