using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <summary>The coordinator's count of an evaluation under way: one result per replica, added in replica order.</summary>
internal sealed class EvaluationRound(int replicas)
{
    private readonly EvaluationResult?[] _results = new EvaluationResult?[replicas];

    /// <summary>Number of the round: results of an earlier one are not taken.</summary>
    public int Number { get; private set; }

    /// <summary>The rows under evaluation.</summary>
    public DataSplit Split { get; private set; }

    /// <summary>Mean loss over the rows.</summary>
    public double Loss => _results.Sum(result => result!.LossSum) / Rows;

    /// <summary>Share of rows classified right.</summary>
    public double Accuracy => (double)_results.Sum(result => result!.Correct) / Rows;

    private long Rows => _results.Sum(result => result!.Rows);

    /// <summary>Starts a new round.</summary>
    public Evaluate Begin(long step, DataSplit split)
    {
        Array.Clear(_results);
        Split = split;
        return new Evaluate(++Number, step, split);
    }

    /// <summary>Takes a replica's result; true when it was the last one missing.</summary>
    public bool Take(EvaluationResult result)
    {
        if (result.Round != Number)
        {
            return false;
        }

        _results[result.Replica] = result;
        return Array.TrueForAll(_results, known => known is not null);
    }
}
