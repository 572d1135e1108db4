using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;

namespace DistTrain.Numerics.Tests.Optimizers;

/// <summary>Gradient descent as vector operations one after the other, whose bits its kernel has to give.</summary>
internal sealed class PlainSgd<T>(OptimizerSpec spec) : BlockRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _momentum = T.CreateChecked(spec.Momentum), _decay = T.CreateChecked(spec.WeightDecay);
    private readonly bool _nesterov = spec.Nesterov;

    public override int StateCount => _momentum == T.Zero ? 0 : 1;

    protected override void Update(in UpdateBlock<T> block, in Coefficients<T> c)
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

/// <summary>Adam and AdamW as vector operations one after the other.</summary>
internal sealed class PlainAdam<T>(OptimizerSpec spec) : BlockRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _beta1 = T.CreateChecked(spec.Beta1), _beta2 = T.CreateChecked(spec.Beta2);
    private readonly T _rest1 = T.CreateChecked(1 - spec.Beta1), _rest2 = T.CreateChecked(1 - spec.Beta2);
    private readonly T _epsilon = T.CreateChecked(spec.Epsilon), _decay = T.CreateChecked(spec.WeightDecay);
    private readonly bool _decoupled = spec.Kind == OptimizerKind.AdamW;

    public override int StateCount => 2;

    protected override void Update(in UpdateBlock<T> block, in Coefficients<T> c)
    {
        Span<T> g = block.Gradient, work = block.Work;
        ReadOnlySpan<T> weights = block.Weights;
        if (_decoupled)
        {
            TensorPrimitives.Multiply(weights, c.Keep, block.NextWeights);
            weights = block.NextWeights;
        }
        else if (_decay != T.Zero)
        {
            TensorPrimitives.FusedMultiplyAdd(weights, _decay, g, g);
        }

        TensorPrimitives.Multiply(block.State0, _beta1, block.NextState0);
        TensorPrimitives.FusedMultiplyAdd(g, _rest1, block.NextState0, block.NextState0);
        TensorPrimitives.Multiply(block.State1, _beta2, block.NextState1);
        TensorPrimitives.Multiply(g, _rest2, work);
        TensorPrimitives.FusedMultiplyAdd(work, g, block.NextState1, block.NextState1);
        TensorPrimitives.Sqrt(block.NextState1, work);
        TensorPrimitives.Divide(work, c.RootCorrection, work);
        TensorPrimitives.Add(work, _epsilon, work);
        TensorPrimitives.Divide(block.NextState0, work, work);
        TensorPrimitives.FusedMultiplyAdd(work, -c.StepSize, weights, block.NextWeights);
    }
}
