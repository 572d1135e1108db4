using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>PyTorch 1.13's default settings, which differ from optimizer to optimizer.</summary>
public static class OptimizerDefaults
{
    /// <summary>A specification with that optimizer's defaults, to be changed with a <c>with</c> expression.</summary>
    public static OptimizerSpec For(OptimizerKind kind, double learningRate) => kind switch
    {
        OptimizerKind.AdamW => new OptimizerSpec(kind, learningRate) { WeightDecay = 0.01 },
        OptimizerKind.RmsProp => new OptimizerSpec(kind, learningRate) { Smoothing = 0.99 },
        OptimizerKind.AdaGrad => new OptimizerSpec(kind, learningRate) { Epsilon = 1e-10 },
        OptimizerKind.AdaDelta => new OptimizerSpec(kind, learningRate) { Smoothing = 0.9, Epsilon = 1e-6 },
        _ => new OptimizerSpec(kind, learningRate),
    };
}
