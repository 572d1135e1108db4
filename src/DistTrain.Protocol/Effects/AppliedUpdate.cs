using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Effects;

/// <summary>
/// What made a version of a slice out of the one before, and is enough to make it again with the same bits: the contributions, what was decided on them, and the
/// carried state that came with them.
/// </summary>
/// <param name="slice">The slice.</param>
/// <param name="contributions">Contributions: one per replica, or one alone in asynchronous modes.</param>
/// <param name="carried">Buffers of carried state: replicas × the slice's count.</param>
public sealed class AppliedUpdate(int slice, int contributions, int carried)
{
    /// <summary>The slice.</summary>
    public int Slice { get; } = slice;

    /// <summary>The step.</summary>
    public long Step { get; init; }

    /// <summary>The replica whose contribution it is in asynchronous modes; −1 for all.</summary>
    public int Replica { get; init; } = -1;

    /// <summary>Number of this update of the slice, from 1; 0 when the step leaves the values as they are.</summary>
    public long Update { get; init; }

    /// <summary>η.</summary>
    public double LearningRate { get; init; }

    /// <summary>Factor of the gradient.</summary>
    public double GradientScale { get; init; } = 1;

    /// <summary>The one replica to take, or −1.</summary>
    public int ChosenReplica { get; init; } = -1;

    /// <summary>The contributions, each or none.</summary>
    public BufferHandle[] Gradients { get; } = new BufferHandle[contributions];

    /// <summary>Carried state that came with them; of each kind the newest position alone.</summary>
    public BufferHandle[] Carried { get; } = new BufferHandle[carried];

    /// <summary>The job that computes the version again.</summary>
    public ApplyJob Repeat(BufferHandle weights, BufferHandle optimizerState)
    {
        ApplyJob job = new(Slice, Gradients.Length)
        {
            Step = Step,
            Update = Update,
            LearningRate = LearningRate,
            GradientScale = GradientScale,
            ChosenReplica = ChosenReplica,
        };
        (job.Inputs[0], job.Inputs[1]) = (weights, optimizerState);
        Gradients.CopyTo(job.Inputs, 2);
        return job;
    }

    /// <summary>Gives every buffer back.</summary>
    internal void Release(EffectList effects)
    {
        foreach (BufferHandle buffer in Gradients)
        {
            effects.Release(buffer);
        }

        foreach (BufferHandle buffer in Carried)
        {
            effects.Release(buffer);
        }
    }
}
