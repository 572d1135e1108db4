using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

public sealed class GemmPartsTests
{
    private static readonly VectorWidth[] Widths = [VectorWidth.Best, VectorWidth.Scalar, VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512];

    private static readonly int[][] Parts = [[5], [0], [1, 1], [0, 3], [16, 16, 16, 15], [3, 0, 7, 0], [64, 64], [513, 2]];

    /// <summary>m, n: c of one chunk, of several (1,000 rows of 65 values), of rows of which few make a chunk, and of rows a page long.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 33)]
    [InlineData(40, 64)]
    [InlineData(1000, 65)]
    [InlineData(37, 3000)]
    [InlineData(100, 1024)]
    public void ASumOfPartsHasTheBitsOfProductsThatAddOneAfterTheOther(int m, int n)
    {
        HasTheBitsOfProducts<float>(m, n);
        HasTheBitsOfProducts<double>(m, n);
    }

    [Fact]
    public void APartWithoutRowsLeavesANegativeZeroAsItIs()
    {
        using Tensor<float> none = new(0, 1), c = new(1, 1);
        c.Span[0] = -0f;
        Gemm.MultiplyParts(none.View, none.View, c.View, [0, 0], accumulate: true);
        float.IsNegative(c.Span[0]).ShouldBeTrue();
    }

    [Fact]
    public void PartsThatAreNotAllRowsAreRefused()
    {
        using Tensor<float> a = new(4, 3), b = new(4, 2), c = new(3, 2);
        Should.Throw<ArgumentException>(() => Gemm.MultiplyParts(a.View, b.View, c.View, [1, 2])).Message.ShouldStartWith("2 parts have 3 rows together; expected 4");
        Should.Throw<ArgumentException>(() => Gemm.MultiplyParts(a.View, b.View, c.View, []));
        Should.Throw<ArgumentException>(() => Gemm.MultiplyParts(a.View, b.View, c.View, [5, -1]));
        Should.Throw<ArgumentException>(() => Gemm.MultiplyParts(a.View, b.View, b.View, [4]));
    }

    private static void HasTheBitsOfProducts<T>(int m, int n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (int[] parts in Parts)
        {
            using GemmOperands<T> operands = new(m, n, parts.Sum(), transposeA: true, transposeB: false);
            foreach (bool accumulate in (bool[])[false, true])
            {
                T[] expected = OneAfterTheOther(operands, parts, accumulate);
                foreach (VectorWidth width in Widths)
                {
                    Sum(operands, parts, accumulate, null, width).ShouldBe(expected, $"{string.Join(' ', parts)}, {width}");
                }

                Sum(operands, parts, accumulate, new ReverseForkJoin(3), VectorWidth.Best).ShouldBe(expected);
                Sum(operands, parts, accumulate, new TwoThreadForkJoin(), VectorWidth.Best).ShouldBe(expected);
            }
        }
    }

    private static T[] OneAfterTheOther<T>(GemmOperands<T> operands, int[] parts, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        operands.Start().CopyTo(operands.C.Span);
        for (int part = 0, first = 0; part < parts.Length; first += parts[part++])
        {
            if (parts[part] > 0 || (part == 0 && !accumulate))
            {
                Gemm.Multiply(
                    operands.A.View.Slice(first * operands.A.Columns, parts[part], operands.A.Columns), true, operands.B.View.Slice(first * operands.B.Columns, parts[part], operands.B.Columns), false,
                    operands.C.View, accumulate || part > 0);
            }
        }

        return operands.C.Span.ToArray();
    }

    private static T[] Sum<T>(GemmOperands<T> operands, int[] parts, bool accumulate, IForkJoin? fork, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        operands.Start().CopyTo(operands.C.Span);
        GemmProblem<T>.Create(operands.A.View, true, operands.B.View, false, operands.C.View, accumulate, default, out GemmProblem<T> problem);
        Gemm.MultiplyParts(problem, parts, fork, width);
        return operands.C.Span.ToArray();
    }
}
