using System.Numerics;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// g ← fma(λ, w, g); with momentum v ← fma(μ, v, g), direction v, or fma(μ, v, g) with the new v under Nesterov; w ← fma(−η,
/// direction, w).
/// </summary>
internal sealed class SgdRule<T>(OptimizerSpec spec) : UpdateRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _momentum = T.CreateChecked(spec.Momentum), _decay = T.CreateChecked(spec.WeightDecay);
    private readonly bool _nesterov = spec.Nesterov;

    public override int StateCount => _momentum == T.Zero ? 0 : 1;

    public override bool TakesRows => true;

    public override bool Apply(in UpdateArrays<T> arrays, in Coefficients<T> c, int first, int end)
    {
        SgdKernel<T> kernel = new()
        {
            GradientScale = arrays.GradientScale,
            Decay = _decay,
            Momentum = _momentum,
            LearningRate = c.LearningRate,
            Nesterov = _nesterov,
        };
        if (arrays.GradientRows.IsEmpty)
        {
            return UpdateKernel.Run(ref kernel, arrays, first, end);
        }

        SgdRowsKernel<T> rows = new(kernel);
        return UpdateKernel.Run(ref rows, arrays, first, end);
    }
}
