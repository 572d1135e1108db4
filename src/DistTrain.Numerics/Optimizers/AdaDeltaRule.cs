using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// Adadelta (Zeiler 2012): g ← fma(λ, w, g); q ← fma((1 − ρ) g, g, ρ q); d = √(a + ε) / √(q + ε) · g;
/// a ← fma((1 − ρ) d, d, ρ a); w ← fma(−η, d, w). State: q, then a.
/// </summary>
internal sealed class AdaDeltaRule<T>(OptimizerSpec spec) : BlockRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _keep = T.CreateChecked(spec.Smoothing), _rest = T.CreateChecked(1 - spec.Smoothing);
    private readonly T _decay = T.CreateChecked(spec.WeightDecay), _epsilon = T.CreateChecked(spec.Epsilon);

    public override int StateCount => 2;

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
        TensorPrimitives.Add(block.NextState0, _epsilon, work);
        TensorPrimitives.Sqrt(work, work);
        TensorPrimitives.Divide(g, work, g);
        TensorPrimitives.Add(block.State1, _epsilon, work);
        TensorPrimitives.Sqrt(work, work);
        TensorPrimitives.Multiply(work, g, g);
        TensorPrimitives.Multiply(block.State1, _keep, block.NextState1);
        TensorPrimitives.Multiply(g, _rest, work);
        TensorPrimitives.FusedMultiplyAdd(work, g, block.NextState1, block.NextState1);
        TensorPrimitives.FusedMultiplyAdd(g, -c.LearningRate, block.Weights, block.NextWeights);
    }
}
