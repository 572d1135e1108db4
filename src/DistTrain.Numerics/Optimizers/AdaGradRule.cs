using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>AdaGrad (Duchi et al. 2011): g ← fma(λ, w, g); q ← fma(g, g, q); w ← fma(−η, g / (√q + ε), w). State: q.</summary>
internal sealed class AdaGradRule<T>(OptimizerSpec spec) : BlockRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _decay = T.CreateChecked(spec.WeightDecay), _epsilon = T.CreateChecked(spec.Epsilon);

    public override int StateCount => 1;

    protected override void Update(in UpdateBlock<T> block, in Coefficients<T> c)
    {
        Span<T> g = block.Gradient, work = block.Work;
        if (_decay != T.Zero)
        {
            TensorPrimitives.FusedMultiplyAdd(block.Weights, _decay, g, g);
        }

        TensorPrimitives.FusedMultiplyAdd(g, g, block.State0, block.NextState0);
        TensorPrimitives.Sqrt(block.NextState0, work);
        TensorPrimitives.Add(work, _epsilon, work);
        TensorPrimitives.Divide(g, work, work);
        TensorPrimitives.FusedMultiplyAdd(work, -c.LearningRate, block.Weights, block.NextWeights);
    }
}
