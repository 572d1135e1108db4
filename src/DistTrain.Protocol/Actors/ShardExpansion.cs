using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <summary>The shares' columns of expanded weights as they arrive at the shard of their slice.</summary>
internal sealed class ShardExpansion(int shares)
{
    private readonly BufferHandle[] _columns = new BufferHandle[2 * shares];
    private int _arrived;

    /// <summary>The step whose coefficients the shard was asked for, or −1.</summary>
    public long Step { get; set; } = -1;

    /// <summary>The step of the columns: they may be here before the shard itself is asked for anything.</summary>
    public long SharesStep { get; private set; }

    /// <summary>Whether every share's columns are here and wait to be put together.</summary>
    public bool IsComplete => _arrived == shares;

    /// <summary>Takes a share's columns.</summary>
    public void Take(ExpandedShare share, EffectList effects)
    {
        effects.Retain(share.Weights);
        effects.Retain(share.Velocity);
        (_columns[share.Share], _columns[shares + share.Share]) = (share.Weights, share.Velocity);
        SharesStep = share.Step;
        _arrived++;
    }

    /// <summary>The job that puts the columns together.</summary>
    public AssembleJob Assemble()
    {
        AssembleJob job = new(shares);
        _columns.CopyTo(job.Inputs, 0);
        _arrived = 0;
        return job;
    }

    /// <summary>Forgets everything.</summary>
    public void Forget(EffectList effects)
    {
        Step = -1;
        ForgetShares(effects);
    }

    /// <summary>Gives the columns back.</summary>
    public void ForgetShares(EffectList effects)
    {
        foreach (BufferHandle columns in _columns)
        {
            effects.Release(columns);
        }

        Array.Clear(_columns);
        _arrived = 0;
    }
}
