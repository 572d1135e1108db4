using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Effects;

/// <summary>What the coordinator knows at a committed step besides the step itself; kept with every snapshot.</summary>
public sealed record CoordinatorProgress
{
    /// <summary>The committed step.</summary>
    public long Step { get; init; }

    /// <summary>Factor on the learning rate, from reduce-on-plateau.</summary>
    public double RateFactor { get; init; } = 1;

    /// <summary>Best watched loss so far; null before the first evaluation.</summary>
    public double? BestLoss { get; init; }

    /// <summary>Evaluations since the best one, for early stopping.</summary>
    public int EvaluationsSinceBest { get; init; }

    /// <summary>Evaluations since the best one or the last reduction, for reduce-on-plateau.</summary>
    public int EvaluationsSinceReduction { get; init; }

    /// <summary>Loss sum over the rows of the epoch under way.</summary>
    public double EpochLossSum { get; init; }

    /// <summary>Rows classified right in the epoch under way.</summary>
    public long EpochCorrect { get; init; }

    /// <summary>Rows of the epoch under way.</summary>
    public long EpochRows { get; init; }

    /// <summary>Whether early stopping ends the run here.</summary>
    public bool IsOutOfPatience(TrainingSettings training) =>
        training.EarlyStoppingPatience is int patience && EvaluationsSinceBest >= patience;

    /// <summary>After a committed step.</summary>
    public CoordinatorProgress AfterStep(long step, double lossSum, int correct, int rows) => this with
    {
        Step = step,
        EpochLossSum = EpochLossSum + lossSum,
        EpochCorrect = EpochCorrect + correct,
        EpochRows = EpochRows + rows,
    };

    /// <summary>After an epoch without evaluation, where evaluations are what is watched.</summary>
    public CoordinatorProgress AfterEpochUnwatched() => this with { EpochLossSum = 0, EpochCorrect = 0, EpochRows = 0 };

    /// <summary>
    /// After an epoch whose watched loss is known. The plateau rule is PyTorch 1.13's ReduceLROnPlateau with its default
    /// threshold and no eps: better means
    /// below best·(1 − 1e-4), and more than the patience's bad evaluations in a row reduce the rate.
    /// </summary>
    public CoordinatorProgress AfterEpoch(double watchedLoss, OptimizerSpec optimizer)
    {
        CoordinatorProgress next = AfterEpochUnwatched();
        // A loss that is no number is no best one that others would have to be below.
        if (!double.IsNaN(watchedLoss) && (BestLoss is not double best || watchedLoss < best * (1 - 1e-4)))
        {
            return next with { BestLoss = watchedLoss, EvaluationsSinceBest = 0, EvaluationsSinceReduction = 0 };
        }

        next = next with { EvaluationsSinceBest = EvaluationsSinceBest + 1, EvaluationsSinceReduction = EvaluationsSinceReduction + 1 };
        bool reduces = optimizer.Schedule == LearningRateSchedule.ReduceOnPlateau
            && next.EvaluationsSinceReduction > optimizer.PlateauPatience;
        return reduces ? next with { RateFactor = RateFactor * optimizer.Gamma, EvaluationsSinceReduction = 0 } : next;
    }
}
