using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Learning;

/// <summary>A local rule of one stage: all that its arithmetic depends on besides tensors.</summary>
public sealed record LocalRuleSpec
{
    /// <summary>Which rule.</summary>
    public required LocalRuleKind Kind { get; init; }

    /// <summary>The whole network, which <see cref="NetworkChecks.Validate"/> has accepted.</summary>
    public required NetworkSpec Network { get; init; }

    /// <summary>Number of the stage, from 0: part of the names of its tensors.</summary>
    public required int Stage { get; init; }

    /// <summary>The stage's first layer, from 0.</summary>
    public required int FirstLayer { get; init; }

    /// <summary>How many layers the stage has, at least 1.</summary>
    public required int LayerCount { get; init; }

    /// <summary>The network's loss.</summary>
    public required LossKind Loss { get; init; }

    /// <summary>Whether a gradient predictor sees the targets too ("cDNI" in Jaderberg et al. 2017).</summary>
    public bool Conditioned { get; init; }

    /// <summary>Units of a gradient predictor's hidden layers, first to last; empty (the default) for a linear predictor, as in
    /// Czarnecki et al. 2017.</summary>
    public IReadOnlyList<int> HiddenUnits { get; init; } = [];

    /// <summary>Activation of a gradient predictor's hidden layers; default ReLU, as in Jaderberg et al. 2017.</summary>
    public ActivationKind HiddenActivation { get; init; } = ActivationKind.Relu;

    /// <summary>A gradient predictor's fit rate c, above 0: its gradients are divided by the mean power of its inputs and
    /// multiplied by this. Null for gradients as they are.</summary>
    public double? FitRate { get; init; }

    /// <summary>
    /// β: the share of the similarity loss in [0, 1], by default 0.99; for the HSIC bottleneck the weight of the dependence on
    /// the target, above 0, by default 500. Null for the default.
    /// </summary>
    public double? Beta { get; init; }

    /// <summary>σ of the HSIC bottleneck's Gaussian kernels for values of one dimension, above 0; default 5.</summary>
    public double Sigma { get; init; } = 5;

    /// <summary>ε of the HSIC bottleneck's normalized kernels, above 0; default 1e-5.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>
    /// η̂ of target propagation, above 0, default 0.1: how far the first target lies down the gradient of a row's loss. To first
    /// order it cancels out of the signals; a smaller one is closer to that, a larger one loses fewer digits.
    /// </summary>
    public double StepSize { get; init; } = 0.1;

    /// <summary>σ of the normal noise on the values that an inverse is fitted to, at least 0; default 0.1.</summary>
    public double Noise { get; init; } = 0.1;

    internal int LastLayer => FirstLayer + LayerCount - 1;

    internal bool IsLastStage => LastLayer == Network.Layers.Count - 1;
}
