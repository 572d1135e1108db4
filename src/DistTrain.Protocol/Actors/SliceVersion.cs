using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Actors;

/// <summary>A slice's state after a step: weights, optimizer state, and what each replica carries on from that step.</summary>
internal sealed class SliceVersion(int carried)
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

    /// <summary>Carried state replica by replica, or none.</summary>
    public BufferHandle[] Carried { get; } = new BufferHandle[carried];

    /// <summary>Whether everything is here; false where later versions need nothing but the weights any more.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Gives every buffer back.</summary>
    public void Release(EffectList effects)
    {
        ReleaseAllButWeights(effects);
        effects.Release(Weights);
        Weights = BufferHandle.None;
        NonFiniteLayer = -1;
        IsWhole = true;
    }

    /// <summary>Gives back what no later version needs of this one.</summary>
    public void ReleaseAllButWeights(EffectList effects)
    {
        effects.Release(OptimizerState);
        OptimizerState = BufferHandle.None;
        foreach (BufferHandle buffer in Carried)
        {
            effects.Release(buffer);
        }

        Array.Clear(Carried);
        IsWhole = false;
    }
}
