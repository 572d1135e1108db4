using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

/// <summary>The cross-entropy of rows beside each other, against one row at a time.</summary>
public sealed class CrossEntropyTests
{
    private static readonly VectorWidth[] Widths = [VectorWidth.Scalar, VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512, VectorWidth.Best];

    [Fact]
    public void EveryNumberOfRowsAndColumnsGivesTheBitsOfOneRowAtATimeWhateverTheVectorWidth()
    {
        for (int columns = 1; columns <= CrossEntropyKernel<float>.ColumnsMax; columns++)
        {
            foreach (int rows in (int[])[0, 1, 7, 8, 9, 19])
            {
                ShouldGiveTheBitsOfOneRowAtATime<float>(rows, columns);
                ShouldGiveTheBitsOfOneRowAtATime<double>(rows, columns);
            }
        }
    }

    [Fact]
    public void RowsThatAreTooWideAreRefused()
    {
        using Tensor<double> wide = new(1, CrossEntropyKernel<double>.ColumnsMax + 1);
        Should.Throw<ArgumentException>(() => CrossEntropyKernel<double>.Rows(wide.View, wide.View, wide.View, new double[1], new double[1], VectorWidth.Best));
    }

    private static void ShouldGiveTheBitsOfOneRowAtATime<T>(int rows, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Tensor<T> s = new(rows, columns), y = new(rows, columns), t = new(rows, columns);
        for (int i = 0; i < s.Span.Length; i++)
        {
            s.Span[i] = T.CreateTruncating(30 * Math.Sin(i));
            t.Span[i] = T.CreateTruncating(i % columns == i / columns * 5 % columns ? 1 : i / columns % 3 == 2 ? 0.25 : 0);
        }

        if (rows > 4)
        {
            // A row with a NaN, one with −∞ where nothing is wanted, and one whose two largest outputs are the same.
            s.Span[columns] = T.NaN;
            s.Span[3 * columns] = T.NegativeInfinity;
            t.Span[3 * columns] = T.Zero;
            s.Span.Slice(4 * columns, columns).Fill(T.One);
        }

        SoftmaxKernel<T>.Rows(s.View, y.View, VectorWidth.Best);
        double[] expected = new double[rows], sums = new double[rows];
        int correct = 0;
        for (int row = 0; row < rows; row++)
        {
            (expected[row], sums[row]) = Row(s.View.Row(row), t.View.Row(row));
            correct += FirstMaximum<T>(y.View.Row(row)) == FirstMaximum<T>(t.View.Row(row)) ? 1 : 0;
        }

        foreach (VectorWidth width in Widths)
        {
            double[] losses = new double[rows], totals = new double[rows];
            string what = $"{rows} × {columns} of {typeof(T).Name}, {width}";
            CrossEntropyKernel<T>.Rows(s.View, y.View, t.View, losses, totals, width).ShouldBe(correct, what);
            Bits.Of<double>(losses).ShouldBe(Bits.Of<double>(expected), what);
            Bits.Of<double>(totals).ShouldBe(Bits.Of<double>(sums), what);
        }
    }

    private static (double Loss, double Sum) Row<T>(ReadOnlySpan<T> s, ReadOnlySpan<T> t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double max = double.CreateTruncating(s[0]), loss = 0, total = 0;
        double[] shifted = new double[s.Length], exp = new double[s.Length], log = new double[1];
        foreach (T value in s)
        {
            max = max < double.CreateTruncating(value) ? double.CreateTruncating(value) : max;
        }

        for (int i = 0; i < s.Length; i++)
        {
            shifted[i] = double.CreateTruncating(s[i]) - max;
        }

        Elementwise.Exp<double>(shifted, exp);
        foreach (double value in exp)
        {
            log[0] += value;
        }

        Elementwise.Log<double>(log, log);
        for (int i = 0; i < t.Length; i++)
        {
            double target = double.CreateTruncating(t[i]);
            loss += target == 0 ? 0 : target * (log[0] - shifted[i]);
            total += target;
        }

        return (loss, total);
    }

    private static int FirstMaximum<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i] > values[best] ? i : best;
        }

        return best;
    }
}
