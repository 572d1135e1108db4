using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tensors;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

public sealed class ElementwiseTests
{
    private static readonly VectorWidth[] Widths =
        [VectorWidth.Best, VectorWidth.Scalar, VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512];

    [Fact]
    public void ABitNeverDependsOnLengthPositionOrWidth()
    {
        SameBits<ExpOperation>();
        SameBits<ShiftedExpOperation>();
        SameBits<ExpM1Operation>();
        SameBits<LogOperation>();
        SameBits<ReluOperation>();
        SameBits<TanhOperation>();
        SameBits<SigmoidOperation>();
        SameBits<SoftplusOperation>();
        SameBits<DividedByOperation>();
        SameBits<AddScaledOperation>();
        SameBits<ScaledDifferenceOperation>();
        SameBits<ReluGradientOperation>();
        SameBits<TanhGradientOperation>();
        SameBits<SigmoidGradientOperation>();
    }

    [Fact]
    public void AScalarFunctionHasTheBitsOfTheSpanKernel()
    {
        double[] x = [.. Inputs<double>(300)], exp = new double[x.Length], log = new double[x.Length];
        Elementwise.Exp<double>(x, exp);
        Elementwise.Log<double>(x, log);
        Bits.Of<double>([.. x.Select(ScalarMath.Exp)]).ShouldBe(Bits.Of<double>(exp));
        Bits.Of<double>([.. x.Select(ScalarMath.Log)]).ShouldBe(Bits.Of<double>(log));
    }

    [Fact]
    public void TheResultMayLieOverTheInput()
    {
        float[] x = Inputs<float>(67), y = new float[67];
        Elementwise.Tanh<float>(x, y);
        Elementwise.Tanh<float>(x, x);
        Bits.Of<float>(x).ShouldBe(Bits.Of<float>(y));
    }

    [Fact]
    public void NothingIsWrittenPastTheInputsLength()
    {
        foreach (int length in (int[])[0, 1, 15, 16, 17, 33])
        {
            float[] y = new float[length + 20];
            Array.Fill(y, -7f);
            Elementwise.Exp<float>(new float[length], y);
            y.ShouldBe([.. Enumerable.Repeat(1f, length), .. Enumerable.Repeat(-7f, 20)]);
        }
    }

    [Fact]
    public void LengthsThatDoNotAgreeAreRefused()
    {
        Should.Throw<ArgumentException>(() => Elementwise.Exp<float>(new float[3], new float[2]));
        Should.Throw<ArgumentException>(() => Elementwise.ReluGradient<float>(new float[3], new float[2], new float[3]));
        Should.Throw<ArgumentException>(() => Elementwise.AddScaled(new float[3], 1f, new float[2]));
    }

    [Fact]
    public void GradientsAndUpdatesAreWhatTheyAreCalled()
    {
        double[] dy = [1, 2, 3, 4], y = [0.5, 0, -0.25, double.Epsilon], result = new double[4];
        Elementwise.ReluGradient<double>(dy, y, result);
        result.ShouldBe([1, 0, 0, 4]);
        Elementwise.TanhGradient<double>(dy, y, result);
        result.ShouldBe([0.75, 2, 3 * 0.9375, 4]);
        Elementwise.SigmoidGradient<double>(dy, y, result);
        result.ShouldBe([0.25, 0, 3 * -0.3125, 4 * double.Epsilon]);
        Elementwise.AddScaled(dy, -2.0, result);
        result.ShouldBe([-1.75, -4, -6.9375, -8]);
        Elementwise.ScaledDifference<double>(dy, [0, 4, 1, 1], 0.5, result);
        result.ShouldBe([0.5, -1, 1, 1.5]);
        Elementwise.Relu<double>([-1, -0.0, 2, double.NegativeInfinity], result);
        Bits.Of<double>(result).ShouldBe(Bits.Of<double>([0, 0, 2, 0]));
        Elementwise.Relu<double>([double.NaN], result);
        result[0].ShouldBe(double.NaN);
    }

    [Fact]
    public void AnElementwiseCallAllocatesNothing()
    {
        float[] x = Inputs<float>(67), y = new float[67];
        void Call()
        {
            Elementwise.Exp<float>(x, y);
            Elementwise.Log<float>(x, y);
            Elementwise.Tanh<float>(x, y);
            Elementwise.SoftmaxRow<float>(x, y);
            Elementwise.Relu<float>(x, y);
            Elementwise.AddScaled(x, 2f, y);
            Elementwise.AllFinite<float>(x);
            Elementwise.Sum<float>(x);
            Elementwise.SumOfSquares<float>(x);
        }

        Call();
        Call();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Call();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(67)]
    public void ASoftmaxRowAddsUpToOneAndIsTheQuotientOfExponentials(int length)
    {
        double[] x = new double[length], y = new double[length];
        for (int i = 0; i < length; i++)
        {
            x[i] = 900 + Math.Sin(i);
        }

        Elementwise.SoftmaxRow<double>(x, y);
        double total = x.Sum(value => Math.Exp(value - 900));
        y.Sum().ShouldBe(1.0, 1e-14);
        for (int i = 0; i < length; i++)
        {
            y[i].ShouldBe(Math.Exp(x[i] - 900) / total, 1e-15);
        }

        foreach (VectorWidth width in Widths)
        {
            double[] other = new double[length];
            SoftmaxKernel<double>.Row(x, other, width);
            Bits.Of<double>(other).ShouldBe(Bits.Of<double>(y));
        }
    }

    [Fact]
    public void SoftmaxOfManyRowsGivesTheBitsOfOneRowAtATime()
    {
        for (int columns = 0; columns <= 20; columns++)
        {
            SoftmaxRowsAreRows<float>(columns);
            SoftmaxRowsAreRows<double>(columns);
        }
    }

    private static void SoftmaxRowsAreRows<T>(int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // More than lie beside each other in the widest vectors, and not a multiple of them.
        const int Rows = 37;
        using Tensor<T> x = new(Rows, columns), y = new(Rows, columns);
        T[] alone = new T[Rows * columns];
        for (int i = 0; i < alone.Length; i++)
        {
            x.Span[i] = T.CreateTruncating(30 * Math.Sin(i));
        }

        // Rows with a NaN, an infinity and nothing but −∞ follow one of finite scores.
        for (int column = 0; column < columns; column++)
        {
            x.Span[(2 * columns) + column] = column == columns / 2 ? T.NaN : T.One;
            x.Span[(3 * columns) + column] = column == columns / 3 ? T.PositiveInfinity : T.One;
            x.Span[(4 * columns) + column] = T.NegativeInfinity;
        }

        foreach (VectorWidth width in Widths)
        {
            for (int row = 0; row < Rows; row++)
            {
                SoftmaxKernel<T>.Row(x.View.Row(row), alone.AsSpan(row * columns, columns), width);
            }

            SoftmaxKernel<T>.Rows(x.View, y.View, width);
            Bits.Of<T>(y.Span).ShouldBe(Bits.Of<T>(alone), $"{columns} columns, {width}");
        }

        Elementwise.SoftmaxRows(x.View, x.View);
        Bits.Of<T>(x.Span).ShouldBe(Bits.Of<T>(alone), $"{columns} columns, in place");
    }

    [Fact]
    public void SoftmaxTreatsInfiniteScoresAsDocumented()
    {
        float[] y = new float[2];
        Elementwise.SoftmaxRow<float>([float.NegativeInfinity, 0f], y);
        y.ShouldBe([0f, 1f]);
        Elementwise.SoftmaxRow<float>([float.NegativeInfinity, float.NegativeInfinity], y);
        y.ShouldAllBe(value => float.IsNaN(value));
        Elementwise.SoftmaxRow<float>([float.NaN, 0f], y);
        y.ShouldAllBe(value => float.IsNaN(value));
        Elementwise.SoftmaxRow<float>([], []);
    }

    private static void SameBits<TOperation>()
        where TOperation : struct, IElementOperation
    {
        SameBits<TOperation, float>();
        SameBits<TOperation, double>();
    }

    private static void SameBits<TOperation, T>()
        where TOperation : struct, IElementOperation
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] a = Inputs<T>(200), b = [.. a.Reverse()], expected = new T[a.Length];
        T scalar = T.CreateTruncating(0.37);
        for (int i = 0; i < a.Length; i++)
        {
            expected[i] = TOperation.Apply<T, T, DistTrain.Numerics.Kernels.Simd.SimdScalar<T>>(a[i], b[i], scalar);
        }

        ulong[] expectedBits = Bits.Of<T>(expected);
        foreach (VectorWidth width in Widths)
        {
            for (int length = 1; length <= 67; length++)
            {
                int start = length;
                T[] y = new T[length];
                ElementwiseLoop.Run<TOperation, T>(a.AsSpan(start, length), b.AsSpan(start, length), scalar, y, width);
                Bits.Of<T>(y).AsSpan().SequenceEqual(expectedBits.AsSpan(start, length)).ShouldBeTrue(
                    $"{typeof(TOperation).Name} {typeof(T).Name} {width} length {length}");
            }
        }
    }

    /// <summary>Numbers of every size and both signs, with the special ones among them.</summary>
    private static T[] Inputs<T>(int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] special = [T.Zero, T.NegativeZero, T.One, T.PositiveInfinity, T.NegativeInfinity, T.Epsilon, -T.Epsilon, T.NaN];
        var stream = new RandomStream(3, RandomPurpose.GeneratedData);
        var values = new T[count];
        for (int i = 0; i < count; i++)
        {
            double size = Math.ScaleB(stream.Uniform(i, -1, 1), (i * 7 % 60) - 45);
            values[i] = i % 9 == 4 ? special[i / 9 % special.Length] : T.CreateTruncating(size * 32);
        }

        return values;
    }
}
