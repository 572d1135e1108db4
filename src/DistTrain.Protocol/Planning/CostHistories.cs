using DistTrain.Numerics.Networks;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// Multiply-adds that histories take beyond the same layers' weights. A layer of d inputs and h outputs whose history has n rows takes d h + n (d + h) a row
/// forward and as many for the signal, none for its gradient; with clipping B² (d + h) a step of B rows; d h for each row that is folded or expanded, twice
/// with momentum. n is taken as its average over the run's steps, and every step as a full one.
/// </summary>
/// <param name="ForwardRow">Of a row that passes forward.</param>
/// <param name="TrainingRow">Of a row that is trained on; negative where the gradient that is not formed was more.</param>
/// <param name="Step">Of a step besides its rows: clipping, and folding on average.</param>
/// <param name="Once">Of the expansion.</param>
internal sealed record CostHistories(double ForwardRow, double TrainingRow, double Step, double Once)
{
    /// <summary>What the histories of a plan take; nothing where there are none.</summary>
    public static CostHistories Of(RunPlan plan)
    {
        CostHistories sum = new(0, 0, 0, 0);
        bool clips = plan.Settings.Optimizer.ClipNorm is not null;
        foreach ((int _, HistorySpec history) in plan.Front?.Histories ?? [])
        {
            double inputs = history.Inputs, outputs = history.Outputs, rows = history.StepRows;
            (double cycle, double whole, double rest) = Folds(history, plan.TotalSteps);
            double formed = inputs * outputs * history.BaseCount * rows;
            double row = PastRows(history, plan.TotalSteps) * (inputs + outputs);
            sum = new CostHistories(
                sum.ForwardRow + row,
                sum.TrainingRow + (2 * row) - (inputs * outputs),
                sum.Step + (clips ? rows * rows * (inputs + outputs) : 0) + (formed * whole * cycle / plan.TotalSteps),
                sum.Once + (formed * rest));
        }

        return sum;
    }

    /// <summary>The rows that a history has before a step, on average over a run.</summary>
    public static double PastRows(HistorySpec history, long steps)
    {
        (double cycle, double whole, double rest) = Folds(history, steps);
        return history.StepRows * ((whole * cycle * (cycle - 1) / 2) + (rest * (rest - 1) / 2)) / steps;
    }

    /// <summary>Over a run of so many training rows and evaluated ones, with as many steps a row as planned.</summary>
    public double Of(CostFirstLayer run) =>
        (run.Rows * run.Epochs * (TrainingRow + (Step / run.BatchRows))) + (run.EvaluatedRows * ForwardRow) + Once;

    /// <summary>Steps from one fold to the next, how often that is, and the steps since the last.</summary>
    private static (double Cycle, double Whole, double Since) Folds(HistorySpec history, long steps)
    {
        double cycle = Math.Floor((double)history.RowsMax / history.StepRows), whole = Math.Floor((steps - 1) / cycle);
        return (cycle, whole, steps - (whole * cycle));
    }
}
