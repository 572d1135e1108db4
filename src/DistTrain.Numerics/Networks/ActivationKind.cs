namespace DistTrain.Numerics.Networks;

/// <summary>Element-wise (softmax: row-wise) functions after a dense layer's W x + b.</summary>
public enum ActivationKind
{
    /// <summary>y = s.</summary>
    Linear,

    /// <summary>y = max(0, s); the gradient at 0 is 0.</summary>
    Relu,

    /// <summary>y = s for s &gt; 0, slope·s otherwise; slope 0.01 unless set.</summary>
    LeakyRelu,

    /// <summary>As leaky ReLU with one learned slope per layer, 0.25 at first (He et al. 2015).</summary>
    Prelu,

    /// <summary>y = s for s &gt; 0, exp(s) − 1 otherwise (Clevert et al. 2016, α = 1).</summary>
    Elu,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>1 / (1 + exp(−s)).</summary>
    Sigmoid,

    /// <summary>exp(s) over its row sum; with its full Jacobian when hidden.</summary>
    Softmax,
}
