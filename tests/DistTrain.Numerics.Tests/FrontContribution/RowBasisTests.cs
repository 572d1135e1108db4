using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.FrontContribution;

public sealed class RowBasisTests : IDisposable
{
    private readonly ComputeScratch _scratch = new();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 9)]
    [InlineData(33, 33)]
    [InlineData(70, 200)]
    public void RowsAreTheirCoordinatesTimesAnOrthonormalBasis(int rows, int columns)
    {
        using Tensor<double> x = new(rows, columns), c = new(rows, rows), q = new(rows, columns);
        TestValues.Fill(x.Span, 3);
        RowBasis.Compute(new MatrixRows<double>(x.View), c.View, q.View, _scratch, null).ShouldBe(rows);
        ShouldBeTheProduct(x, c, q);
        ShouldBeOrthonormal(q, rows);
        for (int row = 0; row < rows; row++)
        {
            c.View.Row(row)[(row + 1)..].ToArray().ShouldAllBe(value => value == 0, "C is lower triangular");
        }
    }

    [Fact]
    public void ARowThatDependsOnEarlierOnesAddsNoDirectionAndAZeroRowStaysZero()
    {
        using Tensor<double> x = new(40, 60), c = new(40, 40), q = new(40, 60);
        TestValues.Fill(x.Span, 4);
        x.View.Row(7).Clear();
        x.View.Row(2).CopyTo(x.View.Row(20));
        for (int i = 0; i < 60; i++)
        {
            x.View.Row(35)[i] = (2 * x.View.Row(1)[i]) - x.View.Row(34)[i];
        }

        RowBasis.Compute(new MatrixRows<double>(x.View), c.View, q.View, _scratch, null).ShouldBe(37);
        ShouldBeTheProduct(x, c, q);
        ShouldBeOrthonormal(q, 37);
        c.View.Row(7).ToArray().ShouldAllBe(value => value == 0);
        q.Span[(37 * 60)..].ToArray().ShouldAllBe(value => value == 0);
    }

    [Fact]
    public void ANearlyDependentRowKeepsItsOwnDirection()
    {
        // What is left of the second row is 1e-9 of it: an eigendecomposition of K, whose rounding is 1e-16 of the squares,
        // would lose it.
        using Tensor<double> x = new(2, 5), c = new(2, 2), q = new(2, 5);
        TestValues.Fill(x.Span, 5);
        x.View.Row(0).CopyTo(x.View.Row(1));
        x.View.Row(1)[3] += 1e-9;
        RowBasis.Compute(new MatrixRows<double>(x.View), c.View, q.View, _scratch, null).ShouldBe(2);
        ShouldBeTheProduct(x, c, q);
        ShouldBeOrthonormal(q, 2);
    }

    /// <summary>A direction was once dropped by the norm of all rows together.</summary>
    [Fact]
    public void BesideAMuchLargerRowTheOthersKeepTheirDirections()
    {
        const int rows = 40, columns = 60;
        using Tensor<float> x = new(rows, columns), c = new(rows, rows), q = new(rows, columns), product = new(rows, columns);
        TestValues.Fill(x.Span, 6);
        foreach (ref float value in x.View.Row(0))
        {
            value *= 1e6f;
        }

        RowBasis.Compute(new MatrixRows<float>(x.View), c.View, q.View, _scratch, null).ShouldBe(rows);
        Gemm.Multiply(c.View, false, q.View, false, product.View);
        for (int row = 0; row < rows; row++)
        {
            double norm = Math.Sqrt(Elementwise.SumOfSquares<float>(x.View.Row(row)));
            for (int i = 0; i < columns; i++)
            {
                ((double)product.View.Row(row)[i]).ShouldBe(x.View.Row(row)[i], 1e-6 * norm, $"row {row}");
            }
        }
    }

    public void Dispose() => _scratch.Dispose();

    private static void ShouldBeTheProduct(Tensor<double> x, Tensor<double> c, Tensor<double> q)
    {
        using Tensor<double> product = new(x.Rows, x.Columns);
        Gemm.Multiply(c.View, false, q.View, false, product.View);
        for (int i = 0; i < x.Span.Length; i++)
        {
            product.Span[i].ShouldBe(x.Span[i], 1e-14 * x.Rows);
        }
    }

    private static void ShouldBeOrthonormal(Tensor<double> q, int rank)
    {
        using Tensor<double> gram = new(q.Rows, q.Rows);
        Gemm.Multiply(q.View, false, q.View, true, gram.View);
        for (int i = 0; i < rank; i++)
        {
            for (int j = 0; j < rank; j++)
            {
                gram.View.Row(i)[j].ShouldBe(i == j ? 1 : 0, 1e-14);
            }
        }
    }
}
