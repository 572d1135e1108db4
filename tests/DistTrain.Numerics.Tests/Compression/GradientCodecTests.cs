using System.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Compression;

public sealed class GradientCodecTests
{
    [Fact]
    public void NoneKeepsEveryBit()
    {
        double[] g = [1.5, -0.0, double.NaN, double.NegativeInfinity, 1e-310];
        TestValues.Bits<double>(RoundTrip(new GradientCodec<double>(CompressionKind.None), g))
            .ShouldBe(TestValues.Bits<double>(g));
    }

    [Fact]
    public void Fp16RoundsToNearestEvenAndSaturates()
    {
        float[] g = [1f, 1f + (1f / 2048), 1f + (3f / 2048), 1e9f, -1e9f, 1e-9f, float.PositiveInfinity];
        RoundTrip(new GradientCodec<float>(CompressionKind.Fp16), g)
            .ShouldBe([1f, 1f, 1f + (4f / 2048), 65504f, -65504f, 0f, float.PositiveInfinity]);
        RoundTrip(new GradientCodec<double>(CompressionKind.Fp16), [0.1]).ShouldBe([(double)(Half)0.1]);
    }

    [Fact]
    public void Int8KeepsTheLargestExactlyAndRoundsHalvesToEven()
    {
        float[] g = [127f, -127f, 0.5f, 1.5f, 2.5f, -2.5f, 63.4f];
        RoundTrip(new GradientCodec<float>(CompressionKind.Int8), g).ShouldBe([127f, -127f, 0f, 2f, 2f, -2f, 63f]);
    }

    [Fact]
    public void Int8ErrsByAtMostHalfAStep()
    {
        var g = new double[1000];
        TestValues.Fill<double>(g, 3, -5, 2);
        double step = g.Max(Math.Abs) / 127;
        RoundTrip(new GradientCodec<double>(CompressionKind.Int8), g).Zip(g)
            .ShouldAllBe(p => Math.Abs(p.First - p.Second) <= step * 0.5000001);
    }

    [Fact]
    public void ZeroSubnormalAndUndefinedGradientsSurviveInt8()
    {
        var codec = new GradientCodec<float>(CompressionKind.Int8);
        RoundTrip(codec, [0f, -0f]).ShouldAllBe(v => v == 0);
        RoundTrip(codec, [float.Epsilon, 100 * float.Epsilon]).ShouldAllBe(v => float.IsFinite(v));
        RoundTrip(codec, [1f, float.NaN]).ShouldAllBe(v => float.IsNaN(v));
    }

    [Fact]
    public void TopKSendsTheLargestAndKeepsTheRest()
    {
        var codec = new GradientCodec<double>(CompressionKind.TopK, 0.4);
        double[] g = [1, -5, 2, 2, 0.5], residual = [0, 1, 0.5, 0.5, -3];
        double[] next = new double[5], decoded = new double[5];
        var bytes = new byte[codec.EncodedBytes(5)];
        codec.Encode(g, residual, bytes, next);
        codec.Decode(bytes, decoded);
        decoded.ShouldBe([0, -4, 2.5, 0, 0]);
        next.ShouldBe([1, 0, 0, 2.5, -2.5]);
    }

    [Theory]
    [InlineData(1, 0.001, 1)]
    [InlineData(1000, 0.001, 1)]
    [InlineData(1001, 0.001, 2)]
    [InlineData(10, 1, 10)]
    [InlineData(0, 0.5, 0)]
    public void TopKKeepsTheRatioRoundedUpAndAtLeastOne(int length, double ratio, int kept)
        => new GradientCodec<float>(CompressionKind.TopK, ratio).EncodedBytes(length).ShouldBe(kept * 8);

    [Fact]
    public void TopKAgreesWithASortOnManyValuesWithTies()
    {
        TopKAgreesWithASort<float>();
        TopKAgreesWithASort<double>();
    }

    [Fact]
    public void ErrorFeedbackLosesNothingOverTime()
    {
        var codec = new GradientCodec<double>(CompressionKind.TopK, 0.1);
        double[] residual = new double[50], decoded = new double[50], g = new double[50];
        double[] sent = new double[50], given = new double[50];
        var bytes = new byte[codec.EncodedBytes(50)];
        for (ulong step = 0; step < 30; step++)
        {
            TestValues.Fill<double>(g, step);
            codec.Encode(g, residual, bytes, residual);
            codec.Decode(bytes, decoded);
            for (int i = 0; i < 50; i++)
            {
                sent[i] += decoded[i];
                given[i] += g[i];
            }
        }

        for (int i = 0; i < 50; i++)
        {
            (sent[i] + residual[i]).ShouldBe(given[i], 1e-13);
        }
    }

    [Fact]
    public void WrongBytesAreRefused()
    {
        var codec = new GradientCodec<float>(CompressionKind.TopK, 0.5);
        Should.Throw<InvalidDataException>(() => codec.Decode(new byte[7], new float[2]))
            .Message.ShouldContain("7 encoded bytes");
        Should.Throw<InvalidDataException>(() => codec.Decode([9, 0, 0, 0, 0, 0, 0, 0], new float[2]))
            .Message.ShouldContain("Index 9");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void ARatioOutOfRangeIsRefused(double ratio)
        => Should.Throw<InvalidInputException>(() => new GradientCodec<float>(CompressionKind.TopK, ratio))
            .Message.ShouldContain("ratio");

    [Fact]
    public void CodingAllocatesNothing()
    {
        foreach (CompressionKind kind in Enum.GetValues<CompressionKind>())
        {
            var codec = new GradientCodec<float>(kind, 0.1);
            var g = new float[500];
            TestValues.Fill<float>(g, 1);
            float[] residual = codec.HasResidual ? new float[500] : [];
            var bytes = new byte[codec.EncodedBytes(500)];
            long allocated = 0;
            for (int i = 0; i < 60; i++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                codec.Encode(g, residual, bytes, residual);
                codec.Decode(bytes, g);
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            }

            allocated.ShouldBe(0, $"{kind}");
        }
    }

    private static void TopKAgreesWithASort<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int length = 3000;
        var g = new T[length];
        TestValues.Fill<T>(g, 8, -30, 30);
        for (int i = 0; i < length; i += 2)
        {
            g[i] = T.Round(g[i]);
        }

        foreach (double ratio in new[] { 0.001, 0.02, 0.5, 0.99, 1 })
        {
            var codec = new GradientCodec<T>(CompressionKind.TopK, ratio);
            T[] decoded = new T[length], next = new T[length];
            var bytes = new byte[codec.EncodedBytes(length)];
            codec.Encode(g, new T[length], bytes, next);
            codec.Decode(bytes, decoded);
            int kept = (int)Math.Ceiling(ratio * length);
            int[] expected = Enumerable.Range(0, length).OrderByDescending(i => T.Abs(g[i])).ThenBy(i => i).Take(kept).ToArray();
            var reference = new T[length];
            foreach (int i in expected)
            {
                reference[i] = g[i];
            }

            decoded.ShouldBe(reference, $"ratio {ratio}");
        }
    }

    private static T[] RoundTrip<T>(GradientCodec<T> codec, T[] gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var bytes = new byte[codec.EncodedBytes(gradient.Length)];
        codec.Encode(gradient, [], bytes, []);
        var decoded = new T[gradient.Length];
        codec.Decode(bytes, decoded);
        return decoded;
    }
}
