using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using MathNet.Numerics.LinearAlgebra;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

public sealed class GemmTests
{
    private static readonly bool[] Both = [false, true];

    private static readonly VectorWidth[] Widths =
        [VectorWidth.Best, VectorWidth.Scalar, VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512];

    /// <summary>m, n, k around the edges of tiles (6, 8; 8 to 32 columns) and of blocks (128, 512, 1024), and layers of
    /// small networks.</summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 1, 1, 3 }, { 2, 3, 1 }, { 4, 2, 2 }, { 4, 1, 2 }, { 3, 5, 7 }, { 5, 16, 9 }, { 6, 17, 8 }, { 7, 15, 31 },
        { 8, 32, 16 }, { 9, 33, 17 }, { 12, 31, 5 }, { 16, 64, 33 }, { 17, 65, 15 }, { 1, 100, 130 }, { 100, 1, 130 }, { 64, 10, 256 },
        { 31, 10, 64 }, { 10, 31, 64 }, { 13, 47, 511 }, { 13, 47, 512 }, { 13, 47, 513 }, { 9, 35, 1024 }, { 9, 35, 1025 },
        { 127, 33, 20 }, { 129, 40, 20 }, { 133, 20, 12 }, { 3, 1023, 10 }, { 20, 1025, 9 }, { 33, 1030, 515 }, { 130, 70, 520 },
        { 16, 10, 64 }, { 33, 10, 9 }, { 70, 7, 20 }, { 40, 6, 517 }, { 20, 8, 1 }, { 48, 9, 1030 }, { 16, 64, 64 }, { 13, 127, 40 }, { 64, 130, 600 },
        { 16, 1, 64 }, { 33, 2, 70 }, { 40, 3, 517 }, { 20, 4, 1 }, { 48, 5, 1030 }, { 17, 2, 8 },
        { 12, 20, 3 }, { 17, 24, 1 }, { 16, 64, 10 }, { 256, 32, 10 }, { 10, 64, 16 }, { 130, 1030, 7 },
        { 20, 1070, 70 }, { 9, 2090, 12 }, { 17, 2057, 32 }, { 130, 1040, 5 }, { 8, 1056, 64 },
        { 10, 64, 70 }, { 18, 33, 20 }, { 11, 40, 9 }, { 64, 70, 33 }, { 56, 40, 600 },
        { 14, 40, 30 }, { 10, 24, 12 }, { 20, 1024, 515 }, { 30, 1024, 515 },
        { 52, 1024, 515 }, { 100, 200, 520 }, { 300, 1000, 16 }, { 10, 20, 600 }, { 128, 96, 16 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AProductAgreesWithMathNet(int m, int n, int k)
    {
        foreach (bool transposeA in Both)
        {
            foreach (bool transposeB in Both)
            {
                AgreesWithMathNet<float>(m, n, k, transposeA, transposeB, 1e-6);
                AgreesWithMathNet<double>(m, n, k, transposeA, transposeB, 2e-15);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EveryPathAndVectorWidthGivesTheBitsOfThePlainLoops(int m, int n, int k)
    {
        foreach (bool transposeA in Both)
        {
            foreach (bool transposeB in Both)
            {
                PathsAgree<float>(m, n, k, transposeA, transposeB);
                PathsAgree<double>(m, n, k, transposeA, transposeB);
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(32)]
    [InlineData(41)]
    public void AFewColumnsHaveTheBitsOfThePlainLoopsAtEveryDepth(int m)
    {
        for (int n = 1; n <= 12; n++)
        {
            for (int k = 1; k <= 36; k++)
            {
                HasTheBitsOfPlainLoops<float>(m, n, k);
                HasTheBitsOfPlainLoops<double>(m, n, k);
            }
        }
    }

    [Fact]
    public void ARightOperandBeyondEveryCacheChangesNoBit()
    {
        // 25 MB in rows of more than a page.
        using var operands = new GemmOperands<float>(9, 3125, 2100, false, false);
        BitsOf(operands.Product(bias: true)).ShouldBe(BitsOf(operands.Product(bias: true, path: GemmPath.Reference)));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(33, 7)]
    [InlineData(130, 515)]
    [InlineData(300, 40)]
    [InlineData(1100, 9)]
    [InlineData(2100, 9)]
    public void TheLowerTriangleHasTheBitsOfTheWholeProduct(int rows, int columns)
    {
        using Tensor<float> a = new(rows, columns), whole = new(rows, rows), lower = new(rows, rows);
        TestValues.Fill(a.Span, 3);
        Gemm.Multiply(a.View, false, a.View, true, whole.View);
        foreach (IForkJoin? fork in (IForkJoin?[])[null, new ReverseForkJoin(3)])
        {
            lower.Span.Fill(float.NaN);
            Gemm.MultiplyLower(a.View, lower.View, fork);
            for (int i = 0; i < rows; i++)
            {
                lower.View.Row(i)[..(i + 1)].ToArray().ShouldBe(whole.View.Row(i)[..(i + 1)].ToArray());
            }
        }
    }

    [Fact]
    public void APartOfAWholeProductIsBoundByNoDiagonalEither()
    {
        // Small and narrow parts have ways of their own, which triangles cannot take.
        using Tensor<float> a = new(40, 3), b = new(5, 3), c = new(40, 5);
        GemmProblem<float>.Create(a.View, false, b.View, true, c.View, accumulate: false, default, out GemmProblem<float> whole);
        whole.Rows(16, 40).Diagonal.ShouldBe(GemmProblem<float>.WholeProduct);
        whole.Columns(2, 5).Diagonal.ShouldBe(GemmProblem<float>.WholeProduct);
        (whole with { Diagonal = 0 }).Rows(16, 40).Diagonal.ShouldBe(16);
        (whole with { Diagonal = 0 }).Columns(2, 5).Diagonal.ShouldBe(-2);
    }

    [Theory]
    [InlineData(64, 80, 130)]
    [InlineData(1, 700, 600)]
    [InlineData(600, 3, 513)]
    [InlineData(131, 260, 70)]
    [InlineData(300, 300, 20)]
    [InlineData(500, 10, 120)]
    [InlineData(100, 133, 40)]
    public void ThreadsNeverChangeABit(int m, int n, int k)
    {
        foreach (bool transpose in Both)
        {
            using var operands = new GemmOperands<float>(m, n, k, transpose, !transpose);
            float[] expected = operands.Product(accumulate: true, bias: true, GemmPath.Reference);
            foreach (int width in (int[])[2, 3, 7])
            {
                var fork = new ReverseForkJoin(width);
                BitsOf(operands.Product(true, true, fork: fork)).ShouldBe(BitsOf(expected));
                fork.Runs.ShouldBe(1);
            }

            BitsOf(operands.Product(true, true, fork: new TwoThreadForkJoin())).ShouldBe(BitsOf(expected));
        }
    }

    [Fact]
    public void ASmallProductIsNotForked()
    {
        using var operands = new GemmOperands<float>(8, 8, 8, false, false);
        var fork = new ReverseForkJoin(2);
        operands.Product(fork: fork);
        fork.Runs.ShouldBe(0);
    }

    [Fact]
    public void AProductOverNothingIsZeroOrLeavesWhatWasThere()
    {
        foreach (bool transpose in Both)
        {
            using var operands = new GemmOperands<double>(3, 5, 0, transpose, transpose);
            operands.Product().ShouldAllBe(value => value == 0.0);
            operands.Product(accumulate: true).ShouldBe(operands.Start());
            operands.Product(bias: true).ShouldBe([.. Enumerable.Repeat(operands.Bias.Span.ToArray(), 3).SelectMany(row => row)]);
        }
    }

    [Theory]
    [InlineData(0, 5, 4)]
    [InlineData(5, 0, 4)]
    [InlineData(0, 0, 0)]
    public void AProductWithoutElementsDoesNothing(int m, int n, int k)
    {
        using var operands = new GemmOperands<float>(m, n, k, false, true);
        operands.Product(true, true).ShouldBeEmpty();
    }

    /// <summary>Columns of whole tiles, where nothing but their height could write beside the part, and others.</summary>
    [Theory]
    [InlineData(19)]
    [InlineData(32)]
    public void APartOfALargerMatrixIsWrittenWithoutTouchingItsNeighbours(int columns)
    {
        const int Inner = 50, Above = 1, Below = 8;
        using var b = new Tensor<float>(Inner, columns);
        b.Span.Fill(2f);
        for (int rows = 1; rows <= 20; rows++)
        {
            using var a = new Tensor<float>(rows, Inner);
            using var whole = new Tensor<float>(Above + rows + Below, columns);
            a.Span.Fill(1f);
            foreach (VectorWidth width in Widths)
            {
                whole.Span.Fill(-7f);
                TensorView<float> part = whole.View.Slice(Above * columns, rows, columns);
                GemmProblem<float>.Create(a.View, false, b.View, false, part, accumulate: false, default, out GemmProblem<float> problem);
                Gemm.Multiply(problem, fork: null, GemmPath.Best, width);
                part.Span.ToArray().ShouldAllBe(value => value == 100f);
                whole.Span[..(Above * columns)].ToArray().ShouldAllBe(value => value == -7f);
                whole.Span[((Above + rows) * columns)..].ToArray().ShouldAllBe(value => value == -7f);
            }
        }
    }

    [Theory]
    [InlineData(16, 6, 9)]
    [InlineData(50, 7, 3)]
    [InlineData(40, 10, 20)]
    [InlineData(13, 21, 5)]
    [InlineData(24, 40, 17)]
    public void AProductWithATransposedOperandWritesNothingBesideItsOwnPart(int m, int n, int k)
    {
        using var operands = new GemmOperands<float>(m, n, k, false, true);
        float[] expected = operands.Product(bias: true, path: GemmPath.Reference);
        using var whole = new Tensor<float>(m + 2, n);
        whole.Span.Fill(-7f);
        Gemm.Multiply(operands.A.View, false, operands.B.View, true, whole.View.Slice(n, m, n), rowBias: operands.Bias.View);
        whole.View.Row(0).ToArray().ShouldAllBe(value => value == -7f);
        whole.View.Row(m + 1).ToArray().ShouldAllBe(value => value == -7f);
        whole.View.Slice(n, m, n).Span.ToArray().ShouldBe(expected);
    }

    [Fact]
    public void ANotANumberReachesItsOwnRowAndColumnOnly()
    {
        using var operands = new GemmOperands<float>(37, 45, 40, false, true);
        operands.A.Span[(11 * 40) + 3] = float.NaN;
        float[] product = operands.Product(path: GemmPath.Packed);
        for (int i = 0; i < product.Length; i++)
        {
            float.IsNaN(product[i]).ShouldBe(i / 45 == 11);
        }
    }

    [Fact]
    public void ShapesThatDoNotAgreeAreRefused()
    {
        using var a = new Tensor<float>(3, 4);
        using var b = new Tensor<float>(5, 6);
        using var c = new Tensor<float>(3, 6);
        Should.Throw<ArgumentException>(() => Gemm.Multiply(a.View, false, b.View, false, c.View)).Message.ShouldContain("3×4");
        Should.Throw<ArgumentException>(() => Gemm.Multiply(a.View, true, a.View, false, c.View));
        Should.Throw<ArgumentException>(() => Gemm.Multiply(a.View, false, a.View, true, c.View));
        using var square = new Tensor<float>(3, 3);
        Should.Throw<ArgumentException>(() => Gemm.Multiply(a.View, false, a.View, true, square.View, rowBias: a.View));
    }

    [Fact]
    public void AProductAllocatesNothing()
    {
        using var small = new GemmOperands<float>(4, 2, 2, false, true);
        using var large = new GemmOperands<float>(64, 100, 200, false, true);
        var fork = new ReverseForkJoin(2);
        void Multiply()
        {
            Gemm.Multiply(small.A.View, false, small.B.View, true, small.C.View, rowBias: small.Bias.View);
            Gemm.Multiply(large.A.View, false, large.B.View, true, large.C.View, rowBias: large.Bias.View);
            Gemm.Multiply(large.A.View, false, large.B.View, true, large.C.View, fork: fork);
        }

        Multiply();
        Multiply();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Multiply();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        fork.Runs.ShouldBe(102);
    }

    private static void HasTheBitsOfPlainLoops<T>(int m, int n, int k)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var operands = new GemmOperands<T>(m, n, k, false, true);
        foreach (bool accumulate in Both)
        {
            ulong[] expected = BitsOf(operands.Product(accumulate, bias: !accumulate, GemmPath.Reference));
            BitsOf(operands.Product(accumulate, bias: !accumulate)).ShouldBe(expected, $"{m} × {k} × {n}, {typeof(T).Name}");

            // Processors choose one of two ways; each is tried on all.
            foreach (bool one in Both)
            {
                if (operands.NarrowProduct(accumulate, bias: !accumulate, one) is T[] narrow)
                {
                    BitsOf(narrow).ShouldBe(expected, $"{m} × {k} × {n}, {typeof(T).Name}, {(one ? "one vector" : "two vectors")}");
                }
            }
        }
    }

    private static void PathsAgree<T>(int m, int n, int k, bool transposeA, bool transposeB)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var operands = new GemmOperands<T>(m, n, k, transposeA, transposeB);
        foreach ((bool accumulate, bool bias) in ((bool, bool)[])[(false, false), (true, true)])
        {
            ulong[] expected = BitsOf(operands.Product(accumulate, bias, GemmPath.Reference));
            foreach (VectorWidth width in Widths)
            {
                foreach (GemmPath path in (GemmPath[])[GemmPath.Best, GemmPath.InPlace, GemmPath.Packed])
                {
                    ulong[] actual = BitsOf(operands.Product(accumulate, bias, path, width));
                    actual.AsSpan().SequenceEqual(expected).ShouldBeTrue(
                        $"{typeof(T).Name} {width} {path} A{(transposeA ? "ᵀ" : "")} B{(transposeB ? "ᵀ" : "")} accumulate {accumulate}");
                }
            }
        }
    }

    private static void AgreesWithMathNet<T>(int m, int n, int k, bool transposeA, bool transposeB, double tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var operands = new GemmOperands<T>(m, n, k, transposeA, transposeB);
        Matrix<double> a = ToMatrix(operands.A, transposeA), b = ToMatrix(operands.B, transposeB);
        Matrix<double> expected = a * b, scale = a.PointwiseAbs() * b.PointwiseAbs();
        T[] actual = operands.Product(), start = operands.Start(), added = operands.Product(accumulate: true, bias: true);
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double bound = tolerance * (scale[i, j] + 2.0);
                double.CreateTruncating(actual[(i * n) + j]).ShouldBe(expected[i, j], bound);
                double whole = expected[i, j] + double.CreateTruncating(start[(i * n) + j]) + double.CreateTruncating(operands.Bias.Span[j]);
                double.CreateTruncating(added[(i * n) + j]).ShouldBe(whole, bound);
            }
        }
    }

    private static Matrix<double> ToMatrix<T>(Tensor<T> tensor, bool transpose)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Matrix<double> matrix = Matrix<double>.Build.Dense(
            tensor.Rows, tensor.Columns, (i, j) => double.CreateTruncating(tensor.View.Row(i)[j]));
        return transpose ? matrix.Transpose() : matrix;
    }

    private static ulong[] BitsOf<T>(T[] values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Bits.Of<T>(values);
}
