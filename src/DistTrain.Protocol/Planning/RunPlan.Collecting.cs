using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;

namespace DistTrain.Protocol.Planning;

/// <content>Which gradients are multiplied out for several micro-batches at a time, and when.</content>
public sealed partial class RunPlan
{
    // What fills the tiles of a product well; more would make a step's passes too unequal.
    private const int CollectedRowsMax = 128;

    /// <summary>
    /// Micro-batches whose inputs and deltas a stage collects before it multiplies out the gradients of its large weights, because each has few rows: a gradient goes through the caches
    /// for each product that is added to it. 0 where every backward pass adds its own, so that jobs are as long as passes where a longer one would be taken for a straggler's.
    /// </summary>
    public int CollectedMicroBatches
    {
        get
        {
            int collected = Math.Min(CollectedRowsMax / MicroBatchRowsMax, Settings.Training.MicroBatches - 1);
            return Method.HasFactoredGradients && Front is null && Settings.BackupAfter is null && collected > 1 ? collected : 0;
        }
    }

    /// <summary>Rows of so many micro-batches at most.</summary>
    public int CollectedRows => CollectedMicroBatches * MicroBatchRowsMax;

    // Parts of an even split differ by one.
    private int MicroBatchRowsMax
    {
        get
        {
            int parts = Settings.Replicas * Settings.Training.MicroBatches;
            return (RowsInStep(1) + parts - 1) / parts;
        }
    }

    /// <summary>
    /// How many micro-batches are multiplied out behind the backward pass of one at a stage that collects them; 0 for none. The last one of a step comes alone: whatever is left to do
    /// then, everybody waits for.
    /// </summary>
    /// <param name="microBatch">From 0.</param>
    public int MultipliedOutAfter(int microBatch)
    {
        int collected = CollectedMicroBatches, last = Settings.Training.MicroBatches - 1, since = collected == 0 ? 0 : microBatch % collected;
        return collected == 0 ? 0 : microBatch == last ? 1 : microBatch == last - 1 || since == collected - 1 ? since + 1 : 0;
    }

    /// <summary>
    /// Whether the gradient of a parameter is multiplied out for several micro-batches at a time (<see cref="CollectedMicroBatches"/>): of a weight that no other layer shares and that has
    /// more values than the factors of their rows.
    /// </summary>
    public bool IsCollected(ParameterSpec parameter) =>
        CollectedMicroBatches > 0 && parameter.Factored(CollectedRows).FactoredRows > 0
        && !Network.Layers.Any(layer => layer is DenseSpec { TiedTo: int to } && to == parameter.Layer);
}
