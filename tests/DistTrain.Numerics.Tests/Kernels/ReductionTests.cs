using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tensors;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

public sealed class ReductionTests
{
    private static readonly VectorWidth[] Widths =
        [VectorWidth.Best, VectorWidth.Scalar, VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512];

    [Fact]
    public void ASumHasTheDocumentedOrderAtEveryWidth()
    {
        SumIsInOrder<float>(16);
        SumIsInOrder<double>(8);
    }

    [Fact]
    public void ASumOfSquaresHasTheDocumentedOrderAtEveryWidth()
    {
        SumOfSquaresIsInOrder<float>();
        SumOfSquaresIsInOrder<double>();
    }

    [Fact]
    public void ColumnsAreAddedInRowOrderAtEveryWidth()
    {
        foreach (int columns in (int[])[0, 1, 10, 16, 31, 32, 33, 70])
        {
            using var matrix = new Tensor<float>(13, columns, Values<float>(13 * columns));
            foreach (bool accumulate in (bool[])[false, true])
            {
                float[] expected = Values<float>(columns);
                for (int j = 0; j < columns; j++)
                {
                    float sum = 0;
                    for (int row = 0; row < 13; row++)
                    {
                        sum += matrix.View.Row(row)[j];
                    }

                    expected[j] = accumulate ? expected[j] + sum : sum;
                }

                foreach (VectorWidth width in Widths)
                {
                    float[] sums = Values<float>(columns);
                    Elementwise.ColumnSums(matrix.View, sums, accumulate, width);
                    Bits.Of<float>(sums).ShouldBe(Bits.Of<float>(expected));
                }
            }
        }
    }

    [Fact]
    public void ColumnSumsOfAnotherLengthAreRefused()
    {
        using var matrix = new Tensor<float>(2, 3);
        Should.Throw<ArgumentException>(() => Elementwise.ColumnSums(matrix.View, new float[2])).Message.ShouldContain("3 columns");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void OneNumberThatIsNotFiniteIsFoundAnywhere(float culprit)
    {
        for (int at = 0; at < 67; at++)
        {
            float[] values = new float[67];
            Array.Fill(values, float.MaxValue);
            Elementwise.AllFinite<float>(values).ShouldBeTrue();
            values[at] = culprit;
            Widths.ShouldAllBe(width => !Elementwise.AllFinite<float>(values, width));
        }

        Elementwise.AllFinite<float>([]).ShouldBeTrue();
    }

    [Fact]
    public void TheLargestElementIsFoundAtEveryWidth()
    {
        for (int length = 1; length <= 67; length++)
        {
            double[] x = Values<double>(length);
            Widths.ShouldAllBe(width => Elementwise.Max<double>(x, width) == x.Max());
        }

        Elementwise.Max<double>([double.NaN, -3.0, double.NaN], VectorWidth.Best).ShouldBe(-3.0);
    }

    private static void SumIsInOrder<T>(int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int length = 0; length <= 67; length++)
        {
            T[] x = Values<T>(length), lanes = new T[count];
            for (int i = 0; i < length; i++)
            {
                lanes[i % count] += x[i];
            }

            foreach (VectorWidth width in Widths)
            {
                Bits.Of(Elementwise.Sum<T>(x, width)).ShouldBe(Bits.Of(Fold(lanes)));
            }
        }
    }

    private static void SumOfSquaresIsInOrder<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (int length in Enumerable.Range(0, 68).Concat([255, 256, 257, 511, 513, 1030]))
        {
            T[] x = Values<T>(length);
            double[] lanes = new double[8];
            for (int i = 0; i < length; i++)
            {
                double value = double.CreateTruncating(x[i]);
                lanes[i % 8] = Math.FusedMultiplyAdd(value, value, lanes[i % 8]);
            }

            foreach (VectorWidth width in Widths)
            {
                Bits.Of(Elementwise.SumOfSquares<T>(x, width)).ShouldBe(Bits.Of(Fold(lanes)));
            }
        }
    }

    private static T Fold<T>(T[] lanes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] left = [.. lanes];
        while (left.Length > 1)
        {
            left = [.. left.Take(left.Length / 2).Zip(left.Skip(left.Length / 2), (low, high) => low + high)];
        }

        return left[0];
    }

    private static T[] Values<T>(int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var stream = new RandomStream(9, RandomPurpose.GeneratedData);
        return [.. Enumerable.Range(0, count).Select(i => T.CreateTruncating(stream.Uniform(i, -3, 3)))];
    }
}
