using DistTrain.Numerics.Networks;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Networks;

public sealed class NetworkChecksTests
{
    private static readonly LayerSpec Softmax = new DenseSpec(3, ActivationKind.Softmax);
    private static readonly LayerSpec Relu = new DenseSpec(4, ActivationKind.Relu);

    public static TheoryData<string, LossKind, LayerSpec[]> Mistakes => new()
    {
        { "network: no layers", LossKind.SquaredError, [] },
        { "network[1]: units is 0", LossKind.SquaredError, [Relu, new DenseSpec(0, ActivationKind.Relu)] },
        { "network[0]: units is -2", LossKind.SquaredError, [new MaxoutSpec(-2, 2)] },
        { "network[0]: pieces is 0", LossKind.SquaredError, [new MaxoutSpec(2, 0)] },
        { "network[0]: k is 0", LossKind.SquaredError, [new KCompetitiveSpec(4, 0, 1)] },
        {
            "network[0]: k is 5; it must be from 1 to the layer's 4 units", LossKind.SquaredError,
            [new KCompetitiveSpec(4, 5, 1)]
        },
        { "network[0]: alpha is -1", LossKind.SquaredError, [new KCompetitiveSpec(4, 2, -1)] },
        { "network[0]: rate is 1", LossKind.SquaredError, [new DropoutSpec(1), Relu] },
        { "network[0]: rate is NaN", LossKind.SquaredError, [new DropoutSpec(double.NaN), Relu] },
        { "network[1]: dropout is the last layer", LossKind.SquaredError, [Relu, new DropoutSpec(0.5)] },
        {
            "network[0]: slope is set, but only leaky-relu and prelu", LossKind.SquaredError,
            [new DenseSpec(4, ActivationKind.Tanh, Slope: 1)]
        },
        { "network[0]: slope is NaN", LossKind.SquaredError, [new DenseSpec(4, ActivationKind.Prelu, Slope: double.NaN)] },
        {
            "network[0]: uniform(2, 1)", LossKind.SquaredError,
            [new DenseSpec(4, ActivationKind.Relu, Initializer: new InitializerSpec(InitializerKind.Uniform, 2, 1))]
        },
        { "network[0]: cross-entropy needs", LossKind.CrossEntropy, [Relu] },
        { "network[0]: binary-cross-entropy needs outputs between 0 and 1", LossKind.BinaryCrossEntropy, [Relu] },
        { "network[1]: tied to layer 1; it must be an earlier layer", LossKind.SquaredError, [Relu, Tied(1)] },
        { "network[1]: tied to layer -1", LossKind.SquaredError, [Relu, Tied(-1)] },
        { "network[1]: tied to layer 0, which has no weight", LossKind.SquaredError, [new MaxoutSpec(4, 2), Tied(0)] },
        { "network[2]: tied to layer 1, which has no weight", LossKind.SquaredError, [Relu, Tied(0), Tied(1)] },
        {
            "network[1]: maps 4 values to 7, but the transposed weight of layer 0 maps 4 to 5", LossKind.SquaredError,
            [Relu, Tied(0, 7)]
        },
        {
            "network[1]: has an initializer, but no weight of its own", LossKind.SquaredError,
            [Relu, Tied(0) with { Initializer = new InitializerSpec(InitializerKind.He) }]
        },
    };

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public void AMistakeIsNamedWithItsPlace(string message, LossKind loss, LayerSpec[] layers)
        => Should.Throw<InvalidInputException>(() => NetworkChecks.Validate(new NetworkSpec(5, layers), loss))
            .Message.ShouldStartWith(message);

    [Fact]
    public void ANetworkWithoutInputsIsRefused()
        => Should.Throw<InvalidInputException>(() => NetworkChecks.Validate(new NetworkSpec(0, [Softmax]), LossKind.CrossEntropy))
            .Message.ShouldContain("inputs");

    [Fact]
    public void SoundNetworksPass()
    {
        NetworkChecks.Validate(new NetworkSpec(5, [Relu, new DropoutSpec(0), Softmax]), LossKind.CrossEntropy);
        NetworkChecks.Validate(new NetworkSpec(5, [new KCompetitiveSpec(4, 4, 6.26), Tied(0)]), LossKind.BinaryCrossEntropy);
        NetworkChecks.Validate(new NetworkSpec(5, [Softmax]), LossKind.BinaryCrossEntropy);
    }

    [Fact]
    public void OnlyAHiddenSoftmaxIsWarnedAbout()
    {
        NetworkChecks.Warnings(new NetworkSpec(5, [Relu, Softmax])).ShouldBeEmpty();
        NetworkChecks.Warnings(new NetworkSpec(5, [Relu, Softmax, Softmax])).ShouldHaveSingleItem()
            .ShouldStartWith("network[1]: softmax");
    }

    private static DenseSpec Tied(int to, int units = 5) => new(units, ActivationKind.Sigmoid, TiedTo: to);
}
