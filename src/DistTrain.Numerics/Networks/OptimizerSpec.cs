namespace DistTrain.Numerics.Networks;

/// <summary>Optimizers, with the formulas and defaults of PyTorch 1.13.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent with momentum, Nesterov and weight decay.</summary>
    Sgd,

    /// <summary>Kingma and Ba 2015; weight decay adds to the gradient.</summary>
    Adam,

    /// <summary>Loshchilov and Hutter 2019; decoupled weight decay.</summary>
    AdamW,

    /// <summary>Tieleman and Hinton 2012.</summary>
    RmsProp,

    /// <summary>Duchi et al. 2011.</summary>
    AdaGrad,

    /// <summary>Zeiler 2012.</summary>
    AdaDelta,
}

/// <summary>How the learning rate moves over a run.</summary>
public enum LearningRateSchedule
{
    /// <summary>The same at every step.</summary>
    Constant,

    /// <summary>Multiplied by Gamma every StepEvery epochs.</summary>
    Step,

    /// <summary>η·½(1 + cos(π s / S)) at step s of S, from 0: to 0 at the end.</summary>
    Cosine,

    /// <summary>Multiplied by Gamma when the watched loss has not improved for PlateauPatience evaluations.</summary>
    ReduceOnPlateau,
}

/// <summary>An optimizer with its settings. Unset ones are PyTorch's defaults for that optimizer.</summary>
/// <param name="Kind">Which rule.</param>
/// <param name="LearningRate">η, above 0.</param>
public sealed record OptimizerSpec(OptimizerKind Kind, double LearningRate)
{
    /// <summary>μ in [0, 1), for sgd and rmsprop; default 0.</summary>
    public double Momentum { get; init; }

    /// <summary>Nesterov's form of momentum, for sgd; needs Momentum above 0.</summary>
    public bool Nesterov { get; init; }

    /// <summary>λ, at least 0; default 0, for adamw 0.01. Applies to every parameter, biases and slopes included.</summary>
    public double WeightDecay { get; init; }

    /// <summary>β₁ of adam and adamw in [0, 1); default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂ of adam and adamw in [0, 1); default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Smoothing: α of rmsprop (default 0.99), ρ of adadelta (default 0.9).</summary>
    public double Smoothing { get; init; }

    /// <summary>ε, above 0; default 1e-8, adagrad 1e-10, adadelta 1e-6.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Clip the gradient of the whole model, before decay, to this 2-norm; null for no clipping.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The schedule; default constant.</summary>
    public LearningRateSchedule Schedule { get; init; }

    /// <summary>Steps over which η first rises linearly from η/WarmUpSteps; 0 for none. Goes with every schedule.</summary>
    public int WarmUpSteps { get; init; }

    /// <summary>Epochs between drops of the step schedule, at least 1.</summary>
    public int StepEvery { get; init; } = 10;

    /// <summary>Factor of the step and plateau schedules, in (0, 1).</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>Evaluations without improvement before reduce-on-plateau acts, at least 0.</summary>
    public int PlateauPatience { get; init; } = 10;
}
