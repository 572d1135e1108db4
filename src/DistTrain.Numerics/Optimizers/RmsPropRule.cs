using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// RMSprop (Tieleman and Hinton 2012): g ← fma(λ, w, g); q ← fma((1 − α) g, g, α q); d = g / (√q + ε); with momentum
/// u ← fma(μ, u, d) replaces d; w ← fma(−η, d, w). State: q, then u.
/// </summary>
internal sealed class RmsPropRule<T>(OptimizerSpec spec) : BlockRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _keep = T.CreateChecked(spec.Smoothing), _rest = T.CreateChecked(1 - spec.Smoothing);
    private readonly T _momentum = T.CreateChecked(spec.Momentum), _decay = T.CreateChecked(spec.WeightDecay);
    private readonly T _epsilon = T.CreateChecked(spec.Epsilon);

    public override int StateCount => _momentum == T.Zero ? 1 : 2;

    protected override void Update(in UpdateBlock<T> block, in Coefficients<T> c)
    {
        Span<T> g = block.Gradient, work = block.Work;
        if (_decay != T.Zero)
        {
            TensorPrimitives.FusedMultiplyAdd(block.Weights, _decay, g, g);
        }

        TensorPrimitives.Multiply(block.State0, _keep, block.NextState0);
        TensorPrimitives.Multiply(g, _rest, work);
        TensorPrimitives.FusedMultiplyAdd(work, g, block.NextState0, block.NextState0);
        TensorPrimitives.Sqrt(block.NextState0, work);
        TensorPrimitives.Add(work, _epsilon, work);
        TensorPrimitives.Divide(g, work, g);
        ReadOnlySpan<T> direction = g;
        if (_momentum != T.Zero)
        {
            TensorPrimitives.FusedMultiplyAdd(block.State1, _momentum, g, block.NextState1);
            direction = block.NextState1;
        }

        TensorPrimitives.FusedMultiplyAdd(direction, -c.LearningRate, block.Weights, block.NextWeights);
    }
}
