using DistTrain.Engines.Shared;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Simulated;

/// <summary>Gives every job's outputs their lengths and its results values that change nothing; computes nothing.</summary>
internal sealed class TimingJobRunner : IJobRunner
{
    private readonly RunPlan _plan;
    private readonly StageShape[] _stages;
    private readonly long[] _encodedBytes;
    private readonly int _valueBytes, _stateCount;
    private readonly bool _hasResidual, _expandsVelocity;
    private readonly Dictionary<int, KeptSlice[]> _kept = [];

    /// <summary>Times the jobs of a run.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="goesOn">Whether something can go on from the run's end, so that there is a velocity of expanded weights.</param>
    public TimingJobRunner(RunPlan plan, bool goesOn)
    {
        _plan = plan;
        _valueBytes = plan.Settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);
        _stateCount = new Optimizer<float>(plan.Settings.Optimizer).StateCount;
        _expandsVelocity = goesOn && _stateCount > 0;
        (_hasResidual, _encodedBytes) = Encoding(plan);
        _stages = [.. plan.Stages.Select(stage => new StageShape(plan, stage))];
    }

    public void Run(Job job, ComputeScratch scratch, IForkJoin fork) => Run(job);

    public KeptParameters ReadParameters(long step) => KeptParameters.None;

    /// <summary>Runs a job.</summary>
    public void Run(Job job)
    {
        switch (job)
        {
            case StageJob stage:
                Run(stage, _stages[stage.Stage]);
                break;
            case SliceJob slice:
                Run(slice, _plan.Slices[slice.Slice]);
                break;
            case FrontJob front:
                Run(front, _plan.Front!);
                break;
            case DecideJob decide:
                (decide.GradientScale, decide.ChosenReplica) = (1, 0);
                break;
            default:
                throw new InvariantException($"No host times a {job.GetType().Name}.");
        }
    }

    private void Run(StageJob job, StageShape stage)
    {
        switch (job)
        {
            case LoadBatchJob load:
                load.Outputs[0] = Values((long)job.Rows * (load.Targets ? stage.Outputs : stage.Inputs));
                break;
            case ForwardJob forward:
                forward.Outputs[0] = Values((long)job.Rows * stage.Outputs);
                forward.Outputs[1] = Values(stage.StashLength(job.Rows));
                forward.NonFiniteLayer = -1;
                break;
            case LossJob loss:
                loss.Outputs[0] = job.Training ? Values((long)job.Rows * stage.Outputs) : BufferHandle.None;
                loss.Result = new LossResult(0, 0, job.Rows);
                break;
            case BackwardJob backward:
                job.Outputs[0] = backward.PassesSignal ? Values((long)job.Rows * stage.Inputs) : BufferHandle.None;
                FillGradients(job);
                break;
            case LocalLossJob local:
                job.Outputs[0] = Values((long)job.Rows * stage.Outputs);
                local.Result = new LossResult(0, 0, job.Rows);
                FillGradients(job);
                break;
            case PredictJob:
                job.Outputs[0] = Values((long)job.Rows * stage.Outputs);
                break;
            case FitJob:
                FillGradients(job);
                break;
            case TargetJob target:
                RunTarget(target, stage);
                break;
            case GradientJob:
                // It writes what is there.
                break;
            case CompressJob compress:
                job.Outputs[0] = SimulatedBuffers.OfLength(_encodedBytes[compress.Slice]);
                job.Outputs[1] = _hasResidual ? Values(_plan.Slices[compress.Slice].Length) : BufferHandle.None;
                break;
            default:
                throw new InvariantException($"No host times a {job.GetType().Name}.");
        }
    }

    private void RunTarget(TargetJob job, StageShape stage)
    {
        bool isLast = _plan.IsLastStage(job.Stage);
        job.Outputs[0] = isLast ? BufferHandle.None : Values((long)job.Rows * stage.Outputs);
        job.Outputs[1] = _plan.IsFirstStage(job.Stage) ? BufferHandle.None : Values((long)job.Rows * stage.Inputs);
        if (!isLast)
        {
            FillGradients(job);
        }
    }

    /// <summary>The last outputs are the gradients of the stage's slices.</summary>
    private void FillGradients(StageJob job)
    {
        IReadOnlyList<int> slices = _plan.Stages[job.Stage].Slices;
        for (int slice = 0; slice < slices.Count; slice++)
        {
            job.Outputs[job.Outputs.Length - slices.Count + slice] = Values(_plan.Slices[slices[slice]].GradientLength);
        }
    }

    private void Run(SliceJob job, SlicePlan slice)
    {
        switch (job)
        {
            case ApplyJob apply:
                (job.Outputs[0], job.Outputs[1], apply.NonFiniteLayer) = (Values(slice.Length), State(slice), -1);
                break;
            case PartialsJob:
                bool isKrum = _plan.Settings.ParameterServer.Aggregate == Aggregate.Krum;
                long perTensor = isKrum ? (long)_plan.Settings.Replicas * _plan.Settings.Replicas : 1;
                job.Outputs[0] = SimulatedBuffers.OfLength(slice.Parameters.Count * perTensor * sizeof(double));
                break;
            case RestoreJob restore:
                Restore(restore, slice);
                break;
            case SnapshotJob snapshot:
                Keep(snapshot);
                break;
            default:
                throw new InvariantException($"No host times a {job.GetType().Name}.");
        }
    }

    private void Run(FrontJob job, FrontContributionPlan front)
    {
        switch (job)
        {
            case BasisJob:
                (job.Outputs[0], job.Outputs[1]) = (Values((long)_plan.TrainRows * front.Features), Values((long)front.Features * front.Inputs));
                break;
            case ContributeJob contribute:
                ContributionTilePlan tile = front.Tiles[contribute.Tile];
                (job.Outputs[0], job.Outputs[1]) = (Values((long)tile.Rows * front.Outputs), Values((long)tile.Rows * tile.Columns));
                break;
            case AddTileJob add:
                long rows = front.Tiles[add.Tile].Split == DataSplit.Train ? _plan.TrainRows : _plan.TestRows;
                (job.Outputs[0], job.Outputs[1]) = (Values(rows * front.Outputs), Values(rows * front.Features));
                break;
            case ExpandJob expand:
                BufferHandle columns = Values((long)front.Outputs * front.FeaturesOf(expand.Share).Count);
                (job.Outputs[0], job.Outputs[1]) = (columns, _expandsVelocity ? columns : BufferHandle.None);
                break;
            case AssembleJob:
                BufferHandle whole = Values(front.Weight.Length);
                (job.Outputs[0], job.Outputs[1]) = (whole, _expandsVelocity ? whole : BufferHandle.None);
                break;
            case ExpandHistoryJob history:
                BufferHandle weights = Values(_plan.Slices[_plan.Histories[history.History].ExpandedSlice].Length);
                (job.Outputs[0], job.Outputs[1]) = (weights, _expandsVelocity ? weights : BufferHandle.None);
                break;
            default:
                throw new InvariantException($"No host times a {job.GetType().Name}.");
        }
    }

    private void Keep(SnapshotJob job)
    {
        // A recovery that began while the newest snapshot became complete goes back to the one before.
        KeptSlice kept = new(job.Slice, job.Step, job.Updates, [.. job.AppliedSteps], [.. job.Inputs]);
        _kept[job.Slice] = _kept.TryGetValue(job.Slice, out KeptSlice[]? before) ? [before[^1], kept] : [kept];
    }

    private void Restore(RestoreJob job, SlicePlan slice)
    {
        if (Array.FindLast(_kept.GetValueOrDefault(job.Slice, []), kept => kept.Step == job.Step) is KeptSlice found)
        {
            found.Buffers.CopyTo(job.Outputs, 0);
            found.AppliedSteps.CopyTo(job.AppliedSteps, 0);
            job.Updates = found.Updates;
            return;
        }

        InvariantException.Require(job.Step == 0, "A committed step that is gone back to has a snapshot.");
        job.Outputs[0] = Values(slice.Length);
        job.Outputs[1] = slice.Frozen ? BufferHandle.None : State(slice);
        for (int replica = 0; replica < _plan.Settings.Replicas && _plan.CarriesResidual && !slice.Frozen; replica++)
        {
            job.Outputs[2 + (replica * slice.CarriedCount)] = Values(slice.Length);
        }
    }

    private BufferHandle Values(long values) => SimulatedBuffers.OfLength(values * _valueBytes);

    private BufferHandle State(SlicePlan slice) => _stateCount == 0 ? BufferHandle.None : Values((long)slice.StateLength * _stateCount);

    private static (bool HasResidual, long[] Bytes) Encoding(RunPlan plan)
    {
        (CompressionKind kind, double ratio) = (plan.Settings.ParameterServer.Compression, plan.Settings.ParameterServer.TopKRatio);
        GradientCodec<float> single = new(kind, ratio);
        GradientCodec<double> wide = new(kind, ratio);
        Func<int, int> bytes = plan.Settings.Precision == Precision.Float32 ? single.EncodedBytes : wide.EncodedBytes;
        return (single.HasResidual, [.. plan.Slices.Select(slice => slice.Parameters.Sum(parameter => (long)bytes(parameter.Length)))]);
    }

    /// <summary>Widths of a stage.</summary>
    private sealed class StageShape
    {
        private readonly StageProgram<float>? _program;

        public StageShape(RunPlan plan, StagePlan stage)
        {
            // Under front contribution the stages before the last run no passes.
            if (plan.Front is null || plan.IsLastStage(stage.Index))
            {
                _program = new StageProgram<float>(
                    plan.Network, stage.FirstLayer, stage.LayerCount, plan.IsLastStage(stage.Index) ? plan.Settings.Loss : null);
                (Inputs, Outputs) = (_program.InputWidth, _program.OutputWidth);
            }
        }

        public int Inputs { get; }

        public int Outputs { get; }

        public int StashLength(int rows) => _program!.StashLength(rows);
    }
}
