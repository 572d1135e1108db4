using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// What the jobs of a plan take on a machine: the one price model of <c>plan</c> and of the simulated engine. Passes are priced product by product and
/// activation by activation, updates by what they stream through the caches, everything else by operations and bytes of <see cref="CostJobs"/>. A pure
/// function of plan and machine; not safe for several threads, because prices are kept.
/// </summary>
public sealed class JobTime
{
    private readonly RunPlan _plan;
    private readonly CostJobs _costs;
    private readonly MachinePrices _prices;
    private readonly double _stateCount;
    private readonly LayerShape[][] _stages;
    private readonly Dictionary<(Type Kind, int Place, int Rows, int Flags), JobPrice> _kept = [];

    /// <summary>The times of a plan's jobs on a machine.</summary>
    public JobTime(RunPlan plan, MachineProfile machine)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(machine);
        (_plan, _costs, _stateCount) = (plan, new CostJobs(plan), CostMemory.StateCount(plan.Settings));
        _stages = [.. plan.Stages.Select(stage => LayerShape.Of(plan, stage))];

        // Weights, gradient, state and the next of both; activations and signals are written and read again soon.
        double values = plan.Slices.Where(slice => !slice.Frozen).Sum(slice => (double)slice.Length) * (3 + (2 * _stateCount));
        MachinePrices sizes = new(machine, plan.Settings.Precision, 1);
        _prices = new MachinePrices(machine, plan.Settings.Precision, values * sizes.ValueBytes);
    }

    /// <summary>The price of a job whose inputs are in place.</summary>
    public JobPrice Of(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        (Type, int, int, int) key = job switch
        {
            BackwardJob backward => (job.GetType(), backward.Stage, backward.Rows, (backward.PassesSignal ? 1 : 0) + (backward.Accumulate ? 2 : 0)),
            GradientJob gradient => (job.GetType(), gradient.Stage, gradient.Rows, gradient.MicroBatch >= gradient.MicroBatches ? 1 : 0),
            LoadBatchJob load => (job.GetType(), load.Stage, load.Rows, load.Targets ? 1 : 0),
            CompressJob compress => (job.GetType(), compress.Slice, 0, 0),
            LearningJob learning => (job.GetType(), learning.Stage, learning.Rows, learning.Accumulate ? 1 : 0),
            StageJob stage => (job.GetType(), stage.Stage, stage.Rows, stage.Training ? 1 : 0),
            ApplyJob apply => (job.GetType(), apply.Slice, apply.Inputs.Length, 0),
            SliceJob slice => (job.GetType(), slice.Slice, 0, 0),
            ContributeJob contribute => (job.GetType(), contribute.Tile, contribute.Share, 0),
            AddTileJob add => (job.GetType(), add.Tile, 0, 0),
            ExpandJob expand => (job.GetType(), expand.Share, 0, 0),
            ExpandHistoryJob history => (job.GetType(), history.History, 0, 0),
            _ => (job.GetType(), 0, 0, 0),
        };
        if (!_kept.TryGetValue(key, out JobPrice? price))
        {
            _kept[key] = price = new JobPrice(PartsOf(job));
        }

        return price;
    }

    private List<JobPart> PartsOf(Job job)
    {
        switch (job)
        {
            case StageJob { Rows: 0 }:
                return [];
            case ForwardJob or BackwardJob when _plan.Histories.Count > 0:
                return Unshaped(job);
            case ForwardJob forward:
                return Forward(_stages[forward.Stage], forward.Rows);
            case BackwardJob backward:
                return Backward(_stages[backward.Stage], backward);
            case LoadBatchJob load:
                int width = load.Targets ? _stages[load.Stage][^1].Outputs : LoadedWidth(load.Stage);
                return [Alone(_prices.Load(load.Rows, (double)load.Rows * width, (double)_plan.TrainRows * width))];
            case LossJob loss:
                return [Alone(_prices.Loss((double)loss.Rows * _stages[loss.Stage][^1].Outputs))];
            case LocalLossJob local when _plan.Stages[local.Stage].Rule is { Kind: not LocalRuleKind.HsicBottleneck } rule:
                return
                [
                    .. rule.Kind == LocalRuleKind.Similarity ? [] : Classified(local),
                    .. rule.Kind == LocalRuleKind.Prediction ? [] : Compared(local),
                ];
            case GradientJob gradient:
                bool adds = gradient.MicroBatch >= gradient.MicroBatches;
                return
                [
                    .. _stages[gradient.Stage].Where(layer => layer.IsCollected)
                        .Select(layer => _prices.Product(ProductKind.Gradient, gradient.Rows, layer.Products, layer.Inputs, adds)),
                ];
            case ApplyJob apply:
                return Update(apply);
            default:
                return Unshaped(job);
        }
    }

    /// <summary>The products of gradients that come as factors, and the update.</summary>
    private List<JobPart> Update(ApplyJob job)
    {
        SlicePlan slice = _plan.Slices[job.Slice];
        return
        [
            .. slice.Parameters.Where(parameter => parameter.FactoredRows > 0)
                .Select(parameter => _prices.Product(ProductKind.Gradient, parameter.FactoredRows, parameter.Rows, parameter.Columns)),
            Alone(_prices.Update(_plan.Settings.Optimizer.Kind, slice.Length, job.Inputs.Length + (2 * _stateCount))),
        ];
    }

    private List<JobPart> Unshaped(Job job)
    {
        CostJob cost = _costs.Of(job);
        return [new JobPart(_prices.Roofline(cost.Flops, cost.Bytes), job is FrontJob && cost.Flops > cost.Bytes ? cost.Flops : 0)];
    }

    private int LoadedWidth(int stage) => _plan.Front is null || stage > 0 ? _stages[stage][0].Inputs : _plan.Front.Features + _plan.Front.Outputs;

    private List<JobPart> Forward(LayerShape[] layers, double rows)
    {
        List<JobPart> parts = [];
        foreach (LayerShape layer in layers)
        {
            if (layer.HasWeight)
            {
                parts.Add(_prices.Product(ProductKind.Forward, rows, layer.Products, layer.Inputs));
            }

            parts.Add(Alone(_prices.ActivationForward(layer.Activation, rows * layer.Outputs)));
        }

        return parts;
    }

    private List<JobPart> Backward(LayerShape[] layers, BackwardJob job)
    {
        List<JobPart> parts = [];
        double rows = job.Rows, error = _stages[^1][^1].Outputs;
        for (int index = layers.Length - 1; index >= 0; index--)
        {
            LayerShape layer = layers[index];
            bool isOwn = layer.IsFused && _plan.IsLastStage(job.Stage) && index == layers.Length - 1;
            if (job.Path == BackwardPath.Direct && !isOwn)
            {
                parts.Add(_prices.Product(ProductKind.Signal, rows, error, layer.Outputs));
            }

            parts.Add(Alone(_prices.ActivationBackward(isOwn ? ActivationKind.Linear : layer.Activation, rows * layer.Outputs, rows)));
            if (!layer.HasWeight)
            {
                continue;
            }

            if (layer.HasGradientProduct)
            {
                parts.Add(layer.IsCollected
                    ? Alone(_prices.Streamed(2 * rows * (layer.Products + (double)layer.Inputs)))
                    : _prices.Product(ProductKind.Gradient, rows, layer.Products, layer.Inputs, job.Accumulate));
            }

            if (job.Path != BackwardPath.Direct && (index > 0 || job.PassesSignal))
            {
                parts.Add(_prices.Product(ProductKind.Signal, rows, layer.Products, layer.Inputs));
            }
        }

        return parts;
    }

    /// <summary>The similarities of a map of the stage's output, forward and backward.</summary>
    private List<JobPart> Compared(LocalLossJob job)
    {
        double rows = job.Rows, width = _stages[job.Stage][^1].Outputs, classes = _stages[^1][^1].Outputs;
        return
        [
            _prices.Product(ProductKind.Forward, rows, width, width),
            _prices.Product(ProductKind.Forward, rows, rows, width),
            _prices.Product(ProductKind.Forward, rows, rows, classes),
            Alone(_prices.Similarity(rows * width)),
            _prices.Product(ProductKind.Signal, rows, rows, width),
            _prices.Product(ProductKind.Gradient, rows, width, width, job.Accumulate),
            _prices.Product(ProductKind.Signal, rows, width, width),
        ];
    }

    /// <summary>A classifier behind the stage, forward and backward.</summary>
    private List<JobPart> Classified(LocalLossJob job)
    {
        double rows = job.Rows, inputs = _stages[job.Stage][^1].Outputs, outputs = _stages[^1][^1].Outputs;
        return
        [
            _prices.Product(ProductKind.Forward, rows, outputs, inputs),
            Alone(_prices.ActivationForward(_stages[^1][^1].Activation, rows * outputs) + _prices.Loss(rows * outputs)),
            Alone(_prices.ActivationBackward(ActivationKind.Linear, rows * outputs, rows)),
            _prices.Product(ProductKind.Gradient, rows, outputs, inputs, job.Accumulate),
            _prices.Product(ProductKind.Signal, rows, outputs, inputs),
        ];
    }

    private static JobPart Alone(double seconds) => new(seconds, 0);
}
