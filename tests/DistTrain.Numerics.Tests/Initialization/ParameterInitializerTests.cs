using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Initialization;

public sealed class ParameterInitializerTests
{
    [Theory]
    [InlineData(ActivationKind.Tanh, null, 6.0 / 300)]
    [InlineData(ActivationKind.Softmax, null, 6.0 / 300)]
    [InlineData(ActivationKind.Relu, null, 6.0 / 200)]
    [InlineData(ActivationKind.Prelu, null, 6.0 / 200)]
    [InlineData(ActivationKind.Relu, InitializerKind.LeCun, 3.0 / 200)]
    [InlineData(ActivationKind.Relu, InitializerKind.Glorot, 6.0 / 300)]
    public void WeightsFillTheRangeOfTheirInitializer(ActivationKind activation, InitializerKind? kind, double squaredBound)
    {
        InitializerSpec? initializer = kind is InitializerKind k ? new InitializerSpec(k) : null;
        double[] weights = Fill<double>(new DenseSpec(100, activation, Initializer: initializer), "weight", 1);
        double bound = Math.Sqrt(squaredBound);
        weights.ShouldAllBe(w => Math.Abs(w) <= bound);
        weights.Max().ShouldBe(bound, 0.001 * bound);
        weights.Min().ShouldBe(-bound, 0.001 * bound);
        weights.Average(w => w * w).ShouldBe(squaredBound / 3, 0.02 * squaredBound);
    }

    [Fact]
    public void UniformDrawsBiasesToo()
    {
        var layer = new DenseSpec(100, ActivationKind.Sigmoid, Initializer: new InitializerSpec(InitializerKind.Uniform, 2, 3));
        Fill<double>(layer, "weight", 1).ShouldAllBe(w => w >= 2 && w < 3);
        double[] bias = Fill<double>(layer, "bias", 1);
        bias.ShouldAllBe(b => b >= 2 && b < 3);
        bias.Distinct().Count().ShouldBe(100);
    }

    [Fact]
    public void OtherBiasesAreZeroAndSlopesAreTheirs()
    {
        Fill<float>(new DenseSpec(4, ActivationKind.Prelu), "bias", 1).ShouldAllBe(b => b == 0);
        Fill<float>(new DenseSpec(4, ActivationKind.Prelu), "slope", 1).ShouldBe([0.25f]);
        Fill<float>(new DenseSpec(4, ActivationKind.Prelu, Slope: 0.1), "slope", 1).ShouldBe([0.1f]);
    }

    [Fact]
    public void Float32IsTheRoundedFloat64AndSeedsDiffer()
    {
        var layer = new MaxoutSpec(20, 3);
        double[] exact = Fill<double>(layer, "weight", 5);
        Fill<float>(layer, "weight", 5).ShouldBe(exact.Select(v => (float)v).ToArray());
        Fill<double>(layer, "weight", 6).Zip(exact).ShouldAllBe(pair => pair.First != pair.Second);
    }

    [Fact]
    public void WeightsDrawnManyAtATimeAreThoseDrawnOneByOne()
    {
        // 200 × 37 weights: whole blocks of random numbers and a rest.
        double bound = Math.Sqrt(6.0 / 237);
        var stream = new RandomStream(7, RandomPurpose.Initialization);
        double[] expected = [.. Enumerable.Range(0, 200 * 37).Select(i => stream.Uniform(i, -bound, bound))];
        var layer = new DenseSpec(37, ActivationKind.Tanh);
        Fill<double>(layer, "weight", 7).ShouldBe(expected);
        Fill<float>(layer, "weight", 7).ShouldBe(expected.Select(value => (float)value).ToArray());
    }

    private static T[] Fill<T>(LayerSpec layer, string name, ulong seed)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var network = new NetworkSpec(200, [layer]);
        ParameterSpec parameter = new StageProgram<T>(network, 0, 1).Parameters.Single(p => p.Name == "layers.0." + name);
        var values = new T[parameter.Length];
        ParameterInitializer.Fill(network, parameter, seed, values.AsSpan());
        return values;
    }
}
