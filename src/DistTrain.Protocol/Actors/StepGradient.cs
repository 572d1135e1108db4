using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// A stage's gradient of the step under way, slice by slice, and the error-feedback residuals that it carries from step to step.
/// Until it is sent the gradient belongs to its actor, whose backward jobs add to it micro-batch by micro-batch.
/// </summary>
internal sealed class StepGradient(int slices)
{
    private int _compressed;

    /// <summary>The gradient of each slice, compressed or not; none before the first backward pass.</summary>
    public BufferHandle[] Slices { get; } = new BufferHandle[slices];

    /// <summary>The residual of each slice, or none.</summary>
    public BufferHandle[] Residuals { get; } = new BufferHandle[slices];

    /// <summary>Prepares the compression of the next slice; false when all are done.</summary>
    public bool TryCompressNext(CompressJob job, StagePlan stage)
    {
        if (_compressed == Slices.Length)
        {
            return false;
        }

        job.Slice = stage.Slices[_compressed];
        job.Inputs[0] = Slices[_compressed];
        job.Inputs[1] = Residuals[_compressed];
        Array.Clear(job.Outputs);
        return true;
    }

    /// <summary>Puts a compressed slice and its next residual in place of the old ones.</summary>
    public void OnCompressed(CompressJob job, EffectList effects)
    {
        effects.Release(Slices[_compressed]);
        effects.Release(Residuals[_compressed]);
        Slices[_compressed] = job.Outputs[0];
        Residuals[_compressed] = job.Outputs[1];
        _compressed++;
    }

    /// <summary>Takes a committed residual; its reference now belongs here.</summary>
    public void SetResidual(int position, BufferHandle residual, EffectList effects)
    {
        effects.Release(Residuals[position]);
        Residuals[position] = residual;
    }

    /// <summary>Gives the gradient back; residuals stay.</summary>
    public void ReleaseGradient(EffectList effects)
    {
        Release(Slices, effects);
        _compressed = 0;
    }

    /// <summary>Gives everything back.</summary>
    public void ReleaseAll(EffectList effects)
    {
        ReleaseGradient(effects);
        Release(Residuals, effects);
    }

    private static void Release(BufferHandle[] buffers, EffectList effects)
    {
        foreach (BufferHandle buffer in buffers)
        {
            effects.Release(buffer);
        }

        Array.Clear(buffers);
    }
}
