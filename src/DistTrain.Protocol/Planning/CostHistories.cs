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

            // Steps from one fold to the next, and those since the last.
            double cycle = Math.Floor(history.RowsMax / rows), whole = Math.Floor((plan.TotalSteps - 1) / cycle), rest = plan.TotalSteps - (whole * cycle);
            double past = rows * ((whole * cycle * (cycle - 1) / 2) + (rest * (rest - 1) / 2)) / plan.TotalSteps;
            double formed = inputs * outputs * history.BaseCount * rows;
            double row = past * (inputs + outputs);
            sum = new CostHistories(
                sum.ForwardRow + row,
                sum.TrainingRow + (2 * row) - (inputs * outputs),
                sum.Step + (clips ? rows * rows * (inputs + outputs) : 0) + (formed * whole * cycle / plan.TotalSteps),
                sum.Once + (formed * rest));
        }

        return sum;
    }

    /// <summary>Over a run of so many training rows and evaluated ones, with as many steps a row as planned.</summary>
    public double Of(CostFirstLayer run) =>
        (run.Rows * run.Epochs * (TrainingRow + (Step / run.BatchRows))) + (run.EvaluatedRows * ForwardRow) + Once;
}
