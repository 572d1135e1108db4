using System.Numerics;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). Adam: g ← fma(λ, w, g); AdamW: w ← w·(1 − ηλ).
/// m ← fma(1 − β₁, g, β₁ m); v ← fma((1 − β₂) g, g, β₂ v); w ← fma(−η / (1 − β₁ᵗ), m / (√v / √(1 − β₂ᵗ) + ε), w).
/// State: m, then v.
/// </summary>
internal sealed class AdamRule<T>(OptimizerSpec spec) : UpdateRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _beta1 = T.CreateChecked(spec.Beta1), _beta2 = T.CreateChecked(spec.Beta2);
    private readonly T _rest1 = T.CreateChecked(1 - spec.Beta1), _rest2 = T.CreateChecked(1 - spec.Beta2);
    private readonly T _epsilon = T.CreateChecked(spec.Epsilon), _decay = T.CreateChecked(spec.WeightDecay);
    private readonly bool _decoupled = spec.Kind == OptimizerKind.AdamW;

    public override int StateCount => 2;

    public override Coefficients<T> At(double learningRate, long update)
    {
        double first = 1 - ExactMath.Power(spec.Beta1, update), second = 1 - ExactMath.Power(spec.Beta2, update);
        return new Coefficients<T>(
            T.CreateChecked(learningRate),
            T.CreateChecked(learningRate / first),
            T.CreateChecked(Math.Sqrt(second)),
            T.CreateChecked(1 - (learningRate * spec.WeightDecay)));
    }

    public override bool Apply(in UpdateArrays<T> arrays, in Coefficients<T> c, int first, int end)
    {
        AdamKernel<T> kernel = new()
        {
            GradientScale = arrays.GradientScale,
            Decay = _decoupled ? T.Zero : _decay,
            Keep = _decoupled ? c.Keep : T.One,
            Beta1 = _beta1,
            Beta2 = _beta2,
            Rest1 = _rest1,
            Rest2 = _rest2,
            StepSize = c.StepSize,
            RootCorrection = c.RootCorrection,
            Epsilon = _epsilon,
        };
        return UpdateKernel.Run(ref kernel, arrays, first, end);
    }
}
