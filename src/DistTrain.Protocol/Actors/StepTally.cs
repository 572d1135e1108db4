using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <summary>What the coordinator has heard of one issued step.</summary>
internal sealed class StepTally(int shardActors, int replicas, int slices)
{
    private readonly bool[] _prepared = new bool[shardActors];
    private readonly StepResult?[] _results = new StepResult?[replicas];
    private int _preparedCount, _prepares, _resultCount, _partialsCount;

    /// <summary>The step; 0 when free.</summary>
    public long Step { get; private set; }

    /// <summary>Partials per slice, or none.</summary>
    public BufferHandle[] Partials { get; } = new BufferHandle[slices];

    /// <summary>The commit is being kept.</summary>
    public bool IsCommitting { get; set; }

    /// <summary>Whether the step may be committed: every copy of the view is prepared and every replica's result is in.</summary>
    public bool IsComplete => _preparedCount == _prepares && _resultCount == replicas;

    /// <summary>Whether every slice's partials are in.</summary>
    public bool HasAllPartials => _partialsCount == slices;

    /// <summary>Loss sums, added in replica order once the step is complete.</summary>
    public double LossSum { get; private set; }

    /// <summary>Rows classified right.</summary>
    public int Correct { get; private set; }

    /// <summary>Rows.</summary>
    public int Rows { get; private set; }

    /// <summary>Lowest layer whose forward pass gave a value that is not finite, or −1.</summary>
    public int NonFiniteLayer { get; private set; }

    /// <summary>Lowest layer whose update gave a weight that is not finite, or −1.</summary>
    public int NonFiniteUpdateLayer { get; private set; }

    /// <summary>Starts to count a step, which so many copies of shards prepare.</summary>
    public void Begin(long step, int copies)
    {
        _prepares = copies;
        Array.Clear(_prepared);
        Array.Clear(_results);
        (_preparedCount, _resultCount, _partialsCount) = (0, 0, 0);
        (LossSum, Correct, Rows) = (0, 0, 0);
        (NonFiniteLayer, NonFiniteUpdateLayer) = (-1, -1);
        IsCommitting = false;
        Step = step;
    }

    /// <summary>A copy of a shard, at a position among all, is prepared.</summary>
    public void OnPrepared(int position, Prepared prepared)
    {
        _preparedCount += _prepared[position] ? 0 : 1;
        _prepared[position] = true;
        NonFiniteUpdateLayer = Lower(NonFiniteUpdateLayer, prepared.NonFiniteLayer);
    }

    /// <summary>A replica's result came.</summary>
    public void OnResult(StepResult result)
    {
        InvariantException.Require(_results[result.Replica] is null, "A replica's result of a step arrives once.");
        _results[result.Replica] = result;
        if (++_resultCount < replicas)
        {
            return;
        }

        foreach (StepResult? known in _results)
        {
            LossSum += known!.LossSum;
            Correct += known.Correct;
            Rows += known.Rows;
            NonFiniteLayer = Lower(NonFiniteLayer, known.NonFiniteLayer);
        }
    }

    /// <summary>A slice's partials came; their reference now belongs here.</summary>
    public void OnPartials(int slice, BufferHandle values)
    {
        InvariantException.Require(Partials[slice].IsNone, "A slice's partials of a step arrive once.");
        Partials[slice] = values;
        _partialsCount++;
    }

    /// <summary>Gives buffers back and frees the tally.</summary>
    public void Free(EffectList effects)
    {
        foreach (BufferHandle partials in Partials)
        {
            effects.Release(partials);
        }

        Array.Clear(Partials);
        Step = 0;
    }

    private static int Lower(int layer, int other) => layer < 0 || (other >= 0 && other < layer) ? other : layer;
}
