using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Actors;

/// <summary>What a layer actor holds of one micro-batch between its forward and its backward pass.</summary>
internal sealed class MicroBatchSlot
{
    /// <summary>Rows × the stage's inputs.</summary>
    public BufferHandle Input { get; set; }

    /// <summary>Rows × the stage's outputs.</summary>
    public BufferHandle Output { get; set; }

    /// <summary>What the layers keep for their backward pass.</summary>
    public BufferHandle Stash { get; set; }

    /// <summary>Rows × targets; last stage only.</summary>
    public BufferHandle Target { get; set; }

    /// <summary>Gradient with respect to the output.</summary>
    public BufferHandle Signal { get; set; }

    /// <summary>Rows × the network's inputs, where a local loss compares with them.</summary>
    public BufferHandle NetworkInput { get; set; }

    /// <summary>A signal that the stage made itself.</summary>
    public BufferHandle LocalSignal { get; set; }

    /// <summary>The weights of the forward pass.</summary>
    public WeightSet? Weights { get; set; }

    /// <summary>First layer so far with a value that is not finite, or −1.</summary>
    public int NonFiniteLayer { get; set; } = -1;
}
