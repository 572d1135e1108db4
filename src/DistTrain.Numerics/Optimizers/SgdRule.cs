using System.Numerics;
using System.Numerics.Tensors;
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

    public override bool TryUpdatePart(
        ReadOnlySpan<T> weights, ReadOnlySpan<T> gradient, T gradientScale, ReadOnlySpan<T> state, Span<T> nextWeights, Span<T> nextState,
        in Coefficients<T> c, int first, int end, out bool finite)
    {
        SgdKernel<T> kernel = new()
        {
            GradientScale = gradientScale,
            Decay = _decay,
            Momentum = _momentum,
            LearningRate = c.LearningRate,
            Nesterov = _nesterov,
        };
        finite = kernel.Run(weights, gradient, state, nextWeights, nextState, first, end);
        return true;
    }

    public override void Update(in UpdateBlock<T> block, in Coefficients<T> c)
    {
        Span<T> g = block.Gradient;
        if (_decay != T.Zero)
        {
            TensorPrimitives.FusedMultiplyAdd(block.Weights, _decay, g, g);
        }

        ReadOnlySpan<T> direction = g;
        if (_momentum != T.Zero)
        {
            TensorPrimitives.FusedMultiplyAdd(block.State0, _momentum, g, block.NextState0);
            direction = block.NextState0;
            if (_nesterov)
            {
                TensorPrimitives.FusedMultiplyAdd(block.NextState0, _momentum, g, g);
                direction = g;
            }
        }

        TensorPrimitives.FusedMultiplyAdd(direction, -c.LearningRate, block.Weights, block.NextWeights);
    }
}
