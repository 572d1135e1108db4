using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// The operations and memory traffic of each job of a plan. Matrix products count exactly; element-wise work counts one operation a value,
/// which is little beside them and what memory-bound jobs are charged for is their bytes. Safe for any number of threads.
/// </summary>
public sealed class CostJobs
{
    private readonly RunPlan _plan;
    private readonly StageCost[] _stages;
    private readonly double _valueBytes, _stateCount;

    /// <summary>The costs of a plan's jobs.</summary>
    public CostJobs(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _plan = plan;
        _valueBytes = plan.Settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);
        _stateCount = CostMemory.StateCount(plan.Settings);
        _stages = Stages(plan);
    }

    /// <summary>The cost of a job whose inputs are in place.</summary>
    public CostJob Of(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job switch
        {
            StageJob stage => OfStage(stage),
            SliceJob slice => OfSlice(slice),
            FrontJob front => OfFront(front),
            DecideJob decide => Elements(decide.Inputs.Length, 1),
            _ => throw new InvariantException($"A {job.GetType().Name} has no cost; {nameof(CostJobs)} gives it one."),
        };
    }

    private CostJob OfStage(StageJob job)
    {
        StageCost stage = _stages[job.Stage];
        double rows = job.Rows;
        return job switch
        {
            LoadBatchJob load => Elements(rows * (load.Targets ? stage.Outputs : stage.Inputs), 2),
            ForwardJob => new CostJob(2 * rows * stage.Forward, _valueBytes * (stage.Parameters + (rows * (stage.Inputs + stage.Stored)))),
            LossJob => Elements(rows * stage.Outputs, 3),
            BackwardJob backward => new CostJob(
                2 * rows * stage.Backward(backward), _valueBytes * (stage.Parameters + stage.Gradients + (rows * ((2 * stage.Inputs) + stage.Stored + stage.Outputs + stage.Factors)))),
            GradientJob => new CostJob(2 * rows * stage.CollectedGradient, _valueBytes * (stage.Collected + (rows * stage.Factors))),
            LearningJob learning => OfLearning(learning, stage, rows),
            CompressJob compress => Elements(_plan.Slices[compress.Slice].Length, 3),
            _ => throw new InvariantException($"A {job.GetType().Name} has no cost; {nameof(CostJobs)} gives it one."),
        };
    }

    /// <summary>
    /// What a stage learns besides its layers: a pass forward, and for what is fitted two backward; an inverse is evaluated twice besides, behind a forward pass of
    /// the stage. Similarity and dependence compare all pairs of rows, and dependence inverts two of their matrices.
    /// </summary>
    private CostJob OfLearning(LearningJob job, StageCost stage, double rows)
    {
        double outputs = _stages[^1].Outputs, pairs = _plan.Stages[job.Stage].Rule?.Kind switch
        {
            LocalRuleKind.Similarity or LocalRuleKind.PredictionAndSimilarity => rows * (stage.Outputs + outputs),
            LocalRuleKind.HsicBottleneck => rows * (stage.Inputs + stage.Outputs + outputs + (2 * rows)),
            _ => 0,
        };
        double products = job switch
        {
            PredictJob => stage.Rule,
            TargetJob => (5 * stage.Rule) + stage.Forward,
            LocalLossJob => (3 * stage.Rule) + pairs,
            _ => 3 * stage.Rule,
        };
        return new CostJob(2 * rows * products, _valueBytes * ((2 * stage.Rule) + (rows * ((2 * stage.Outputs) + stage.Inputs))));
    }

    private CostJob OfSlice(SliceJob job)
    {
        double length = _plan.Slices[job.Slice].Length, replicas = _plan.Settings.Replicas;
        return job switch
        {
            // Weights in and out, the contributions, and state in and out; of the two inputs besides contributions one is the state.
            ApplyJob apply => WithProducts(Elements(length, apply.Inputs.Length + (2 * _stateCount)), _plan.Slices[job.Slice]),
            PartialsJob when _plan.Settings.ParameterServer.Aggregate == Aggregate.Krum => Elements(length, replicas * replicas / 2),
            PartialsJob => Elements(length, replicas),
            RestoreJob or SnapshotJob => Elements(length, 1 + _stateCount),
            _ => throw new InvariantException($"A {job.GetType().Name} has no cost; {nameof(CostJobs)} gives it one."),
        };
    }

    /// <summary>An update, and the products of the gradients that come as factors.</summary>
    private static CostJob WithProducts(CostJob update, SlicePlan slice) =>
        update with { Flops = update.Flops + (2 * slice.Parameters.Sum(parameter => (double)parameter.FactoredRows * parameter.Length)) };

    private CostJob OfFront(FrontJob job)
    {
        FrontContributionPlan front = _plan.Front!;
        double trainRows = _plan.TrainRows;
        switch (job)
        {
            case BasisJob:
                // Householder's QR of the transposed rows and the directions from it.
                return Product(2 * trainRows, front.Inputs, front.Features);
            case ContributeJob contribute:
                ContributionTilePlan tile = front.Tiles[contribute.Tile];
                double features = front.FeaturesOf(contribute.Share).Count, columns = CoordinateColumns(front, tile);
                return Product(tile.Rows, features, front.Outputs + columns);
            case AddTileJob add:
                return Elements(front.Tiles[add.Tile].Rows * (front.Outputs + (double)front.Tiles[add.Tile].Columns), 3);
            case ExpandJob expand:
                double expanded = Product(front.Outputs, front.Features, front.FeaturesOf(expand.Share).Count).Flops * (1 + _stateCount);
                return new CostJob(expanded, _valueBytes * front.FeaturesOf(expand.Share).Count * (front.Features + (double)front.Outputs));
            case AssembleJob:
                return Elements((double)front.Outputs * front.Inputs, 2 * (1 + _stateCount));
            case ExpandHistoryJob history:
                HistorySpec layer = front.Histories[history.History].History;
                CostJob sum = Product(layer.Outputs, layer.RowsMax, layer.Inputs);
                return sum with { Flops = sum.Flops * (1 + _stateCount) };
            default:
                throw new InvariantException($"A {job.GetType().Name} has no cost; {nameof(CostJobs)} gives it one.");
        }
    }

    /// <summary>Columns of a tile's coordinates that take a product: none where the coordinates are those of the basis or the inputs.</summary>
    private static double CoordinateColumns(FrontContributionPlan front, ContributionTilePlan tile) =>
        front.Form == ContributionForm.Gram ? tile.Columns
        : front.HasBasis && tile.Split == DataSplit.Test ? front.Features
        : 0;

    private CostJob Elements(double values, double touched) => new(values, values * touched * _valueBytes);

    private CostJob Product(double rows, double inner, double columns) =>
        new(2 * rows * inner * columns, _valueBytes * ((rows * inner) + (inner * columns) + (rows * columns)));

    private static StageCost[] Stages(RunPlan plan)
    {
        double[] widths = Widths(plan.Network);
        StageCost[] stages = new StageCost[plan.Stages.Count];
        foreach (StagePlan stage in plan.Stages)
        {
            StageCost cost = new()
            {
                Inputs = widths[stage.FirstLayer],
                Outputs = widths[stage.FirstLayer + stage.LayerCount],
                Parameters = stage.Parameters.Where(parameter => !LocalRules.IsAuxiliary(parameter)).Sum(parameter => (double)parameter.Length),
                Gradients = stage.Parameters.Where(parameter => !LocalRules.IsAuxiliary(parameter) && !plan.IsCollected(parameter)).Sum(parameter => (double)parameter.GradientLength),
                Collected = stage.Parameters.Where(plan.IsCollected).Sum(parameter => (double)parameter.GradientLength),
                Factors = stage.Parameters.Where(plan.IsCollected).Sum(parameter => (double)parameter.Rows + parameter.Columns),
                Rule = stage.Parameters.Where(LocalRules.IsAuxiliary).Sum(parameter => (double)parameter.Length),
            };
            bool contributesOnly = plan.Front is not null && !plan.IsLastStage(stage.Index);
            for (int layer = stage.FirstLayer; layer < stage.FirstLayer + stage.LayerCount && !contributesOnly; layer++)
            {
                (double own, double gradient) = Products(plan, plan.Network.Layers[layer], widths[layer]);
                gradient = plan.IsFactored(layer) ? 0 : gradient;
                bool isCollected = stage.Parameters.Any(parameter => parameter.Layer == layer && plan.IsCollected(parameter));
                cost = cost with
                {
                    Forward = cost.Forward + own,
                    Gradient = cost.Gradient + (isCollected ? 0 : gradient),
                    CollectedGradient = cost.CollectedGradient + (isCollected ? gradient : 0),
                    FirstSignal = layer == stage.FirstLayer ? own : cost.FirstSignal,
                    LaterSignals = cost.LaterSignals + (layer == stage.FirstLayer ? 0 : own),
                    DirectSignals = cost.DirectSignals + (widths[^1] * widths[layer + 1]),
                    Stored = cost.Stored + widths[layer + 1],
                };
            }

            stages[stage.Index] = cost;
        }

        return stages;
    }

    /// <summary>Multiply-adds a row of a layer's product, and of its weights' gradient.</summary>
    private static (double Product, double Gradient) Products(RunPlan plan, LayerSpec layer, double width)
    {
        if (layer is ContributedSpec contributed)
        {
            // The Gram form's gradient is the signal itself, put in its rows.
            double product = (double)contributed.Features * contributed.Outputs;
            return (product, contributed.Scatter ? contributed.Outputs : product);
        }

        if (layer is HistorySpec history)
        {
            // Its gradient is the rows themselves.
            return ((width * history.Outputs) + (CostHistories.PastRows(history, plan.TotalSteps) * (width + history.Outputs)), 0);
        }

        double own = width * ContributedSpec.OutputsOf(layer);
        return (own, own);
    }

    /// <summary>Columns before each layer, and behind the last.</summary>
    private static double[] Widths(NetworkSpec network)
    {
        double[] widths = new double[network.Layers.Count + 1];
        widths[0] = network.Inputs;
        for (int layer = 0; layer < network.Layers.Count; layer++)
        {
            LayerSpec spec = network.Layers[layer] switch
            {
                ContributedSpec contributed => contributed.Inner,
                HistorySpec history => history.Inner,
                LayerSpec other => other,
            };
            double outputs = spec is MaxoutSpec maxout ? maxout.Units : ContributedSpec.OutputsOf(spec);
            widths[layer + 1] = outputs > 0 ? outputs : widths[layer];
        }

        return widths;
    }

    /// <summary>A stage: multiply-adds a row of its products, values a row that are kept, columns in and out, and values of its parameters.</summary>
    private readonly record struct StageCost
    {
        public double Forward { get; init; }

        public double Gradient { get; init; }

        /// <summary>Of the gradients that are multiplied out for several micro-batches.</summary>
        public double CollectedGradient { get; init; }

        public double FirstSignal { get; init; }

        public double LaterSignals { get; init; }

        public double DirectSignals { get; init; }

        public double Stored { get; init; }

        public double Inputs { get; init; }

        public double Outputs { get; init; }

        public double Parameters { get; init; }

        /// <summary>Values of their gradients that every pass goes through.</summary>
        public double Gradients { get; init; }

        /// <summary>Values of those that are multiplied out for several micro-batches at a time.</summary>
        public double Collected { get; init; }

        /// <summary>Values a row of the factors of these.</summary>
        public double Factors { get; init; }

        /// <summary>Values of what it learns besides its layers.</summary>
        public double Rule { get; init; }

        public double Backward(BackwardJob job) =>
            Gradient + (job.Path == BackwardPath.Direct ? DirectSignals : LaterSignals) + (job.PassesSignal ? FirstSignal : 0);
    }
}
