using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

public sealed class ProductSinkTests
{
    [Theory]
    [InlineData(1, 200, 3)]
    [InlineData(5, 33, 40)]
    [InlineData(12, 1_030, 16)]
    [InlineData(67, 48, 100)]
    [InlineData(300, 131, 64)]
    [InlineData(41, 2_100, 512)]
    public void EveryBlockArrivesOnceWithTheBitsOfTheProduct(int m, int n, int k)
    {
        using Tensor<float> a = new(k, m), b = new(k, n), expected = new(m, n);
        TestValues.Fill(a.Span, 1);
        TestValues.Fill(b.Span, 2);
        Gemm.Multiply(a.View, true, b.View, false, expected.View);
        foreach (GemmPath path in (GemmPath[])[GemmPath.Best, GemmPath.InPlace, GemmPath.Packed])
        {
            foreach (VectorWidth width in (VectorWidth[])[VectorWidth.Bits512, VectorWidth.Bits256, VectorWidth.Bits128])
            {
                foreach (IForkJoin? fork in (IForkJoin?[])[null, new ReverseForkJoin(3)])
                {
                    Collected sink = new(m, n);
                    Gemm.TryMultiplyInto(a.View, true, b.View, false, sink, fork, path, width).ShouldBeTrue();
                    sink.Times.ShouldAllBe(times => times == 1);
                    TestValues.Bits<float>(sink.Values).ShouldBe(TestValues.Bits<float>(expected.Span), $"{path}, {width}, {fork?.Width ?? 1} threads");
                }
            }
        }
    }

    [Theory]
    [InlineData(3, 4, 5)]
    [InlineData(40, 40, 513)]
    [InlineData(40, 40, 0)]
    public void WhatIsTooSmallOrTooDeepIsLeftToTheCaller(int m, int n, int k)
    {
        using Tensor<float> a = new(k, m), b = new(k, n);
        Collected sink = new(m, n);
        Gemm.TryMultiplyInto(a.View, true, b.View, false, sink, null, GemmPath.Best, VectorWidth.Best).ShouldBeFalse();
        sink.Times.ShouldAllBe(times => times == 0);
    }

    [Fact]
    public void ShapesThatDoNotAgreeAreRefused()
    {
        using Tensor<float> a = new(3, 40), b = new(4, 40);
        Should.Throw<ArgumentException>(() => Gemm.TryMultiplyInto(a.View, true, b.View, false, new Collected(40, 40), null, GemmPath.Best, VectorWidth.Best))
            .Message.ShouldBe("Shapes do not agree: op(a) is 40×3, op(b) 4×40.");
    }

    private sealed unsafe class Collected(int m, int n) : IProductSink<float>
    {
        public float[] Values { get; } = new float[m * n];

        public int[] Times { get; } = new int[m * n];

        public void Take(float* values, int row, int rows, int column, int columns)
        {
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++)
                {
                    int at = ((row + i) * n) + column + j;
                    Values[at] = values[(i * columns) + j];
                    Times[at]++;
                }
            }
        }
    }
}
