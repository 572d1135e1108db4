using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Actors;

/// <summary>A slice's state after a step: weights, optimizer state, and what each replica carries on from that step.</summary>
internal sealed class SliceVersion(int replicas)
{
    /// <summary>The step.</summary>
    public long Step { get; set; }

    /// <summary>Optimizer updates so far.</summary>
    public long Updates { get; set; }

    /// <summary>First layer with weights that are not finite, or −1.</summary>
    public int NonFiniteLayer { get; set; } = -1;

    /// <summary>The slice's tensors.</summary>
    public BufferHandle Weights { get; set; }

    /// <summary>The optimizer's state, or none.</summary>
    public BufferHandle OptimizerState { get; set; }

    /// <summary>Carried state per replica, or none.</summary>
    public BufferHandle[] Carried { get; } = new BufferHandle[replicas];

    /// <summary>Gives every buffer back.</summary>
    public void Release(EffectList effects)
    {
        effects.Release(Weights);
        effects.Release(OptimizerState);
        foreach (BufferHandle carried in Carried)
        {
            effects.Release(carried);
        }

        Weights = OptimizerState = BufferHandle.None;
        NonFiniteLayer = -1;
        Array.Clear(Carried);
    }
}
