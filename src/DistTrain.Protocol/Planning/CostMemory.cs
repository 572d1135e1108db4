using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// What actors hold at most. A layer actor: the weights of its stage, in as many versions as passes under way need (one; PipeDream's stage i of p stashes
/// p − i); the gradient, and factors that are collected for it (their room stays with a gradient that waits at a shard of the same process, and is not counted there again); for each stored micro-batch input, output and what backward passes need of it, at the last stage target and signal too. A shard: two
/// versions of its slices with their state (the committed one and the next; PipeDream p + 1) and one waiting contribution a replica. Front contribution's
/// final-layer actor besides: (N + M)(F + h′) values.
/// </summary>
internal sealed class CostMemory(RunPlan plan, IReadOnlyList<StageProgram<float>> programs, double valueBytes, CostInstructions? walked)
{
    private readonly RunSettings _settings = plan.Settings;

    // Tiles that a first-stage actor may have contributed before the first is in place, and the one it works on.
    private const int TilesAtOnce = 4;

    private bool IsPipeDream => !plan.Method.Synchronous;

    /// <summary>Values of optimizer state for each parameter.</summary>
    public static int StateCount(RunSettings settings) => new Optimizer<float>(settings.Optimizer).StateCount;

    /// <summary>Bytes of a slice's gradient on the wire.</summary>
    public static double EncodedBytes(RunSettings settings, SlicePlan slice)
    {
        (CompressionKind kind, double ratio) = (settings.ParameterServer.Compression, settings.ParameterServer.TopKRatio);
        Func<int, int> bytes = settings.Precision == Precision.Float32
            ? new GradientCodec<float>(kind, ratio).EncodedBytes
            : new GradientCodec<double>(kind, ratio).EncodedBytes;
        return slice.Parameters.Sum(parameter => (double)bytes(parameter.GradientLength));
    }

    /// <summary>The actors that hold something, those of one replica for all.</summary>
    public IReadOnlyList<CostActor> Actors()
    {
        List<CostActor> actors = [];
        for (int stage = 0; stage < plan.Stages.Count; stage++)
        {
            bool contributes = plan.Front is not null && !plan.IsLastStage(stage);
            actors.Add(contributes ? Contributor(stage) : LayerActor(stage));
        }

        for (int shard = 0; shard < plan.Topology.Shards; shard++)
        {
            actors.Add(Shard(shard));
        }

        return actors;
    }

    private CostActor LayerActor(int stage)
    {
        StageProgram<float> program = programs[stage];
        double parameters = plan.Stages[stage].Parameters.Sum(parameter => (double)parameter.Length);
        double gradients = plan.Stages[stage].Parameters.Sum(parameter => (double)parameter.GradientLength);
        double collected = plan.Stages[stage].Parameters.Where(plan.IsCollected).Sum(parameter => (double)parameter.Factored(plan.CollectedRows).GradientLength);
        int stored = StoredActivations(stage), ahead = IsPipeDream ? plan.Stages.Count - stage : 1 + plan.Stages[stage].Carried.Weights;
        int rows = EvenSplit.Part(EvenSplit.Part(_settings.Training.BatchSize, _settings.Replicas, 0).Count, _settings.Training.MicroBatches, 0).Count;
        int evaluated = Math.Min(Limits.EvaluationRowsMax, Math.Max(plan.TrainRows, plan.TestRows));
        double loss = plan.IsLastStage(stage) ? program.OutputWidth : 0;

        // An evaluation passes a batch at a time, and needs no signal.
        double training = walked is null
            ? stored * (Activations(program, rows) + (2 * rows * loss))
            : walked.StoredValues(stage) + (2 * rows * (plan.IsLastStage(stage) ? loss : program.OutputWidth));
        double evaluating = Activations(program, evaluated) + (evaluated * loss);
        return new CostActor(plan.Topology.NameOf(plan.Topology.LayerActor(0, stage)), _settings.Replicas)
        {
            WeightBytes = ahead * parameters * valueBytes,
            GradientBytes = (((plan.CarriesResidual ? 2 : 1) * gradients) + collected) * valueBytes,
            ActivationBytes = Math.Max(training, evaluating) * valueBytes,
            StoredActivations = stored,
            ContributionBytes = plan.Front is FrontContributionPlan front
                ? ((double)plan.TrainRows + plan.TestRows) * (front.Features + front.Outputs) * valueBytes
                : 0,
        };
    }

    /// <summary>A layer actor that only contributes: the first stage's have W₀, the basis where there is one, and tiles; those between nothing.</summary>
    private CostActor Contributor(int stage)
    {
        FrontContributionPlan front = plan.Front!;
        CostActor actor = new(plan.Topology.NameOf(plan.Topology.LayerActor(0, stage)), stage == 0 ? front.Shares : 1);
        if (stage > 0)
        {
            return actor;
        }

        double features = front.FeaturesOf(0).Count, rows = Math.Min(ContributionTile.RowsMax, plan.TrainRows);
        double tile = rows * (front.Outputs + front.Features), basis = front.HasBasis ? front.Features * ((double)plan.TrainRows + front.Inputs) : 0;
        double expanded = front.Outputs * features * (1 + StateCount(_settings));
        return actor with
        {
            WeightBytes = (double)front.Weight.Length * valueBytes,
            ContributionBytes = (basis + Math.Max(TilesAtOnce * tile, expanded)) * valueBytes,
        };
    }

    private CostActor Shard(int shard)
    {
        IEnumerable<SlicePlan> slices = plan.Slices.Where(slice => slice.Shard == shard);
        double trained = slices.Where(slice => !slice.Frozen).Sum(slice => (double)slice.Length);
        double frozen = slices.Where(slice => slice.Frozen).Sum(slice => (double)slice.Length);
        double states = slices.Where(slice => !slice.Frozen).Sum(slice => (double)slice.StateLength);
        double versions = IsPipeDream ? plan.Stages.Count + 1 : 2;
        double waiting = slices.Where(slice => !slice.Frozen).Sum(slice => EncodedBytes(_settings, slice));
        double residuals = plan.CarriesResidual ? versions * trained * valueBytes : 0;
        trained += slices.Where(slice => !slice.Frozen).Sum(slice => (double)slice.Length * slice.OlderVersions) / versions;
        return new CostActor(plan.Topology.NameOf(plan.Topology.Shard(shard)), 1)
        {
            WeightBytes = ((versions * trained) + frozen) * valueBytes,
            StateBytes = StateCount(_settings) * ((versions * states) + frozen) * valueBytes,
            GradientBytes = _settings.Replicas * (waiting + residuals + (versions * slices.Sum(CarriedValues) * valueBytes)),
        };
    }

    /// <summary>Values that a slice keeps for its stage: of so many past steps input, output, stash and signal.</summary>
    private double CarriedValues(SlicePlan slice)
    {
        StagePlan stage = plan.Stages[slice.Stage];
        if (slice.Frozen || stage.Carried.Count == 0 || stage.Slices[0] != slice.Index)
        {
            return 0;
        }

        StageProgram<float> program = programs[slice.Stage];
        int rows = EvenSplit.Part(_settings.Training.BatchSize, _settings.Replicas, 0).Count;
        return ((double)rows * (((stage.Carried.Inputs + stage.Carried.Signals) * program.InputWidth) + (stage.Carried.Outputs * program.OutputWidth)))
            + ((double)stage.Carried.Stashes * program.StashLength(rows));
    }

    /// <summary>Micro-batches between their forward and backward passes.</summary>
    private int StoredActivations(int stage)
    {
        int stages = plan.Stages.Count, microBatches = _settings.Training.MicroBatches;
        return walked is not null ? walked.StoredActivations(stage)
            : plan.Front is not null ? 1
            : IsPipeDream ? stages - stage
            : ScheduleCatalog.Find(_settings.Method.Schedule)!.StoredActivationsMax(stages, microBatches, stage);
    }

    private static double Activations(StageProgram<float> program, int rows) =>
        ((double)rows * (program.InputWidth + program.OutputWidth)) + program.StashLength(rows);
}
