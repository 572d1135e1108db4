using DistTrain.Numerics.Learning;

namespace DistTrain.Protocol.Settings;

/// <summary>How front contribution keeps what updates contribute.</summary>
public enum ContributionForm
{
    /// <summary>The form with fewer multiplications over the planned run.</summary>
    Auto,

    /// <summary>A coefficient for each training row, through the Gram matrix.</summary>
    Gram,

    /// <summary>A coefficient for each direction of a basis of the training rows.</summary>
    Basis,
}

/// <summary>Which stages front contribution takes out of training.</summary>
public enum Collapse
{
    /// <summary>The first layer; the final-layer actor keeps those between as weights of its own.</summary>
    Input,

    /// <summary>Every layer before the final one: those between are kept as histories of their inputs and deltas.</summary>
    All,
}

/// <summary>A method by its name, the schedule that it runs on, and what single methods take besides.</summary>
/// <param name="Name">For example <c>backprop</c>; see <see cref="Methods.MethodCatalog"/>.</param>
/// <param name="Schedule"><c>sequential</c>, <c>fill-drain</c> or <c>1f1b</c>.</param>
public sealed record MethodSettings(string Name = "backprop", string Schedule = "1f1b")
{
    /// <summary>front-contribution's form. Default auto.</summary>
    public ContributionForm Form { get; init; }

    /// <summary>front-contribution's reach. Default input.</summary>
    public Collapse Collapse { get; init; }

    /// <summary>First-stage actors of front-contribution, each with a share of the features; 1 …
    /// <see cref="Limits.ShardsMax"/>. Default 1.</summary>
    public int Shares { get; init; } = 1;

    /// <summary>delayed-gradient and features-replay: 0 for no delay, null for the pipeline's own. synthetic-gradient: steps
    /// between a batch and the fit to its signal, 0 … 16; null for 1.</summary>
    public int? DelaySteps { get; init; }

    /// <summary>feedback-alignment's matrices. Default random.</summary>
    public FeedbackKind Feedback { get; init; }

    /// <summary>local-loss's loss. Default predsim.</summary>
    public LocalRuleKind LocalLoss { get; init; } = LocalRuleKind.PredictionAndSimilarity;

    /// <summary>local-loss: share of the similarity loss in predsim, 0 … 1, default 0.99. hsic-bottleneck: weight of the
    /// targets, at least 0, default 500.</summary>
    public double? Beta { get; init; }

    /// <summary>hsic-bottleneck: width of the kernels, in units of √dimension; above 0, default 5.</summary>
    public double? Sigma { get; init; }

    /// <summary>hsic-bottleneck: regularization of the inverse; above 0, default 1e-5.</summary>
    public double? Epsilon { get; init; }

    /// <summary>synthetic-gradient: whether predictors see the targets. Default true.</summary>
    public bool Conditioned { get; init; } = true;

    /// <summary>synthetic-gradient: units of the predictors' hidden layers. Default none: a linear predictor.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [];

    /// <summary>synthetic-gradient: how fast predictors are fitted, as a factor on the learning rate over the mean power of their
    /// inputs; above 0, default 4.</summary>
    public double? FitRate { get; init; }

    /// <summary>target-propagation: step from the last hidden activations to their target, in gradients of a row's loss; above 0,
    /// default 0.1.</summary>
    public double? StepSize { get; init; }

    /// <summary>target-propagation: standard deviation of the noise that inverses are trained with; at least 0, default
    /// 0.1.</summary>
    public double? Noise { get; init; }
}

/// <summary>What feedback alignment sends signals back through.</summary>
public enum FeedbackKind
{
    /// <summary>Fixed random matrices.</summary>
    Random,

    /// <summary>The weights of the forward pass, re-read at every step: what backpropagation does.</summary>
    Transposed,
}
