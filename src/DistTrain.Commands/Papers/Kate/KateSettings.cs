using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;

namespace DistTrain.Commands.Papers.Kate;

/// <summary>The settings of the reproduction: units, k and α as in the paper's experiments on 20 Newsgroups.</summary>
internal sealed record KateSettings
{
    /// <summary>Hidden units, or the length of a code.</summary>
    public int Units { get; init; } = 128;

    /// <summary>Winners of the competition.</summary>
    public int K { get; init; } = 32;

    /// <summary>Amplification of the losers' energy.</summary>
    public double Alpha { get; init; } = 6.26;

    /// <summary>Passes over the training rows for each autoencoder.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Rows of a step.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Seed of the weights and of the order of rows.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How autoencoders are trained.</summary>
    public OptimizerSpec Optimizer { get; init; } = OptimizerNamed("adadelta");

    /// <summary>Passes of a softmax classifier, on codes or on words.</summary>
    public int ReadOutEpochs { get; init; } = 30;

    /// <summary>Times the epochs that the plain autoencoder gets for the line that shows what it reaches in the end.</summary>
    public int LongerFactor { get; init; } = 3;

    /// <summary>How the softmax classifiers are trained.</summary>
    public OptimizerSpec ReadOutOptimizer { get; init; } = OptimizerDefaults.For(OptimizerKind.Adam, 0.002) with { WeightDecay = 1e-4, Schedule = LearningRateSchedule.Cosine };

    /// <summary>Names that <see cref="OptimizerNamed"/> knows.</summary>
    public static IReadOnlyList<string> OptimizerNames { get; } = ["adadelta", "adam"];

    /// <summary>An optimizer with the learning rate at which the competition helps most, or the given one.</summary>
    public static OptimizerSpec OptimizerNamed(string name, double? learningRate = null) => name == "adam"
        ? OptimizerDefaults.For(OptimizerKind.Adam, learningRate ?? 5e-4)
        : OptimizerDefaults.For(OptimizerKind.AdaDelta, learningRate ?? 0.1) with { Smoothing = 0.95 };
}
