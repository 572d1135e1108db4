using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Papers.XorInit;

/// <summary>A way of learning XOR from weights and biases drawn from U(0, 1).</summary>
/// <param name="Activation">Of the hidden units; the output is a sigmoid with half squared error.</param>
/// <param name="Remedy">What is different from plain gradient descent, for people; empty for nothing.</param>
internal sealed record XorVariant(ActivationKind Activation, string Remedy)
{
    /// <summary>Hidden units.</summary>
    public int Units { get; init; } = 2;

    /// <summary>Momentum of gradient descent.</summary>
    public double Momentum { get; init; }

    /// <summary>Rows of a step: all four, or one.</summary>
    public int BatchSize { get; init; } = XorTrainer.Rows;

    /// <summary>How many starts are tried before a seed counts as stalled.</summary>
    public int Starts { get; init; } = 1;

    /// <summary>η, of the mean over a step's rows: large enough that a run which does not learn in time is stuck and not
    /// just slow.</summary>
    public double LearningRate => Activation == ActivationKind.Relu ? 0.3 : 2;

    /// <summary>Plain gradient descent, and each of the remedies that the answer to the question names, for both
    /// activations.</summary>
    public static IReadOnlyList<XorVariant> All { get; } = [.. ((ActivationKind[])[ActivationKind.Sigmoid, ActivationKind.Relu]).SelectMany(Of)];

    private static IEnumerable<XorVariant> Of(ActivationKind activation) =>
    [
        new(activation, ""),
        new(activation, "one row a step") { BatchSize = 1 },
        new(activation, "momentum 0.9") { Momentum = 0.9 },
        new(activation, "4 units") { Units = 4 },
        new(activation, "8 units") { Units = 8 },
        new(activation, "up to 5 starts") { Starts = 5 },
    ];
}
