using System.Numerics;
using DistTrain.Engines.Shared.Front;
using DistTrain.Engines.Storage;
using DistTrain.Numerics.Aggregation;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Shared;

/// <summary>The jobs of shards and of the coordinator: aggregation, decisions, the optimizer, compression, restore and
/// snapshot.</summary>
internal sealed partial class ShardArithmetic<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RunRequest _request;
    private readonly RunPlan _plan;
    private readonly ParameterServerSettings _server;
    private readonly BufferPool _pool;
    private readonly SnapshotStore _snapshots;
    private readonly Optimizer<T> _optimizer;
    private readonly GradientCodec<T> _codec;
    private readonly ParameterUpdates<T> _updates;
    private readonly LogReplay? _replay;
    private readonly ParameterSpec[][] _tensors;

    public ShardArithmetic(RunRequest request, RunPlan plan, BufferPool pool, SnapshotStore snapshots)
    {
        _request = request;
        _plan = plan;
        _server = plan.Settings.ParameterServer;
        _pool = pool;
        _snapshots = snapshots;
        _optimizer = new Optimizer<T>(plan.Settings.Optimizer);
        _codec = new GradientCodec<T>(_server.Compression, _server.TopKRatio);
        _updates = new ParameterUpdates<T>(plan, _optimizer);
        _tensors = Tensors();
        _replay = snapshots.Log is RunLog log ? new LogReplay(plan, pool, log) : null;
    }

    private static unsafe int ValueBytes => sizeof(T);

    public void Run(Job job, ComputeScratch scratch, IForkJoin? fork)
    {
        long mark = scratch.Mark;
        switch (job)
        {
            case CompressJob compress:
                Compress(compress);
                break;
            case ApplyJob apply:
                Apply(apply, scratch, fork);
                break;
            case PartialsJob partials:
                ComputePartials(partials, scratch);
                break;
            case DecideJob decide:
                Decide(decide, scratch);
                break;
            case RestoreJob restore:
                Restore(restore, scratch, fork);
                break;
            case SnapshotJob { Primary: false }:
                // All copies keep themselves in one place here, so one of them is enough.
                break;
            case SnapshotJob snapshot:
                _snapshots.Keep(snapshot);
                break;
            default:
                throw new InvariantException($"No host runs a {job.GetType().Name}.");
        }

        scratch.Release(mark);
    }

    /// <summary>The parameters after a step of which there is a complete snapshot, or of step 0, in layer order.</summary>
    public KeptParameters ReadParameters(long step)
    {
        using ComputeScratch scratch = new();
        RestoreJob[] slices = [.. _plan.Slices.Select(slice => new RestoreJob(slice, _plan.Settings.Replicas) { Step = step })];
        foreach (RestoreJob slice in slices)
        {
            Restore(slice, scratch, fork: null);
        }

        // Nobody writes a version, so that the outcome may have the memory that it lies in.
        KeptParameters values = new(_plan.Results.Count);
        bool[] taken = [.. slices.Select(slice => !slice.Outputs[0].IsNone && values.TryTake(_pool, slice.Outputs[0]))];
        for (int index = 0; index < values.Count; index++)
        {
            ParameterPlace place = _plan.Results[index];
            Span<byte> bytes = _pool.Bytes(slices[place.Slice].Outputs[0]).Slice(place.Offset * ValueBytes, place.Parameter.Length * ValueBytes);
            if (taken[place.Slice])
            {
                values.Place(index, bytes);
            }
            else
            {
                values.Keep(index, bytes);
            }
        }

        foreach (BufferHandle output in slices.SelectMany(slice => slice.Outputs))
        {
            _pool.Release(output);
        }

        return values;
    }

    private void Compress(CompressJob job)
    {
        SlicePlan slice = _plan.Slices[job.Slice];
        int encodedBytes = slice.Parameters.Sum(parameter => _codec.EncodedBytes(parameter.Length));
        job.Outputs[0] = _pool.Rent(encodedBytes);
        job.Outputs[1] = _codec.HasResidual ? _pool.Rent((long)slice.Length * ValueBytes) : BufferHandle.None;
        Span<T> gradient = _pool.View<T>(job.Inputs[0]).Span;
        Span<T> residual = _pool.View<T>(job.Inputs[1]).Span, nextResidual = _pool.View<T>(job.Outputs[1]).Span;
        Span<byte> encoded = _pool.Bytes(job.Outputs[0]);
        int offset = 0;
        foreach (ParameterSpec parameter in slice.Parameters)
        {
            int bytes = _codec.EncodedBytes(parameter.Length);
            Range values = _codec.HasResidual ? offset..(offset + parameter.Length) : 0..0;
            _codec.Encode(gradient.Slice(offset, parameter.Length), residual[values], encoded[..bytes], nextResidual[values]);
            encoded = encoded[bytes..];
            offset += parameter.Length;
        }
    }

    private void ComputePartials(PartialsJob job, ComputeScratch scratch)
    {
        SlicePlan slice = _plan.Slices[job.Slice];
        int perTensor = PartialsPerTensor;
        job.Outputs[0] = _pool.Rent((long)slice.Parameters.Count * perTensor * sizeof(double));
        Span<double> partials = _pool.View<double>(job.Outputs[0]).Span;
        if (job.Inputs[0].IsNone)
        {
            // The step leaves the slice as it is.
            partials.Clear();
            return;
        }

        Span<TensorView<T>> replicas = stackalloc TensorView<T>[job.Inputs.Length];
        long mark = scratch.Mark;
        int offset = 0, encodedOffset = 0;
        for (int tensor = 0; tensor < slice.Parameters.Count; tensor++)
        {
            ParameterSpec parameter = slice.Parameters[tensor];
            Span<double> own = partials.Slice(tensor * perTensor, perTensor);
            if (_server.Aggregate == Aggregate.Krum)
            {
                Decoded(job.Inputs, parameter, offset, encodedOffset, scratch, replicas);
                Krum.PairwiseSquaredDistances(replicas, own);
            }
            else
            {
                TensorView<T> gradient = job.Inputs.Length == 1
                    ? Decoded(job.Inputs[0], parameter, offset, encodedOffset, scratch)
                    : Aggregated(job.Inputs, parameter, offset, encodedOffset, scratch);
                own[0] = _updates.SquaredNorm(parameter, gradient, scratch);
            }

            offset += parameter.GradientLength;
            encodedOffset += _codec.EncodedBytes(parameter.Length);
            scratch.Release(mark);
        }
    }

    private int PartialsPerTensor => _server.Aggregate == Aggregate.Krum ? _plan.Settings.Replicas * _plan.Settings.Replicas : 1;

    private void Decide(DecideJob job, ComputeScratch scratch)
    {
        int perTensor = PartialsPerTensor;
        Span<double> totals = scratch.Take<double>(1, perTensor).Span;
        totals.Clear();
        foreach (ParameterPlace place in _plan.Parameters.Where(place => place.Slice < _plan.TrainedSlices))
        {
            int tensor = IndexIn(_plan.Slices[place.Slice], place.Parameter);
            Span<double> partials = _pool.View<double>(job.Inputs[place.Slice]).Span.Slice(tensor * perTensor, perTensor);
            for (int i = 0; i < perTensor; i++)
            {
                totals[i] += partials[i];
            }
        }

        if (_server.Aggregate == Aggregate.Krum)
        {
            job.ChosenReplica = Krum.Select(totals, _plan.Settings.Replicas, _server.ByzantineMax);
        }
        else if (_plan.Settings.Optimizer.ClipNorm is double clip)
        {
            job.GradientScale = ReplicaAggregation.ClippingFactor(totals[0], clip);
        }
    }

    private static int IndexIn(SlicePlan slice, ParameterSpec parameter)
    {
        for (int index = 0; index < slice.Parameters.Count; index++)
        {
            if (slice.Parameters[index] == parameter)
            {
                return index;
            }
        }

        throw new InvariantException($"{parameter.Name} lies in slice {slice.Index}.");
    }

    private void Restore(RestoreJob job, ComputeScratch scratch, IForkJoin? fork)
    {
        SlicePlan slice = _plan.Slices[job.Slice];
        if (_replay is null)
        {
            RestoreSnapshot(job);
            return;
        }

        if (_plan.IsExpanded(job.Slice))
        {
            // No step updates it: it is in the snapshot of the step that it was formed after, or nowhere.
            _snapshots.TryRestore(job);
            return;
        }

        RestoreJob snapshot = new(slice, _plan.Settings.Replicas) { Step = _snapshots.NewestUpTo(job.Step) };
        RestoreSnapshot(snapshot);
        job.Updates = snapshot.Updates;
        snapshot.Outputs.CopyTo(job.Outputs, 0);
        snapshot.AppliedSteps.CopyTo(job.AppliedSteps, 0);
        if (!slice.Frozen)
        {
            _replay.Run(job, snapshot.Step, apply => Apply(apply, scratch, fork));
        }
    }

    /// <summary>The state of a snapshot, or the beginning.</summary>
    private void RestoreSnapshot(RestoreJob job)
    {
        if (_snapshots.TryRestore(job))
        {
            return;
        }

        InvariantException.Require(job.Step == 0, $"There is a snapshot of step {job.Step}.");
        if (_plan.IsExpanded(job.Slice))
        {
            // Nothing is expanded yet.
            return;
        }

        SlicePlan slice = _plan.Slices[job.Slice];
        job.Outputs[0] = _pool.Rent((long)slice.Length * ValueBytes);
        job.Outputs[1] = slice.Frozen ? BufferHandle.None : Zeros((long)slice.StateLength * _optimizer.StateCount);
        TensorView<T> weights = _pool.View<T>(job.Outputs[0]);
        Span<T> state = _pool.View<T>(job.Outputs[1]).Span;
        int offset = 0;
        foreach (ParameterSpec parameter in slice.Parameters)
        {
            Span<T> own = state.IsEmpty ? state : state[..(parameter.StateLength * _optimizer.StateCount)];
            _updates.Initialize(_request, parameter, weights.Slice(offset, 1, parameter.Length), own);
            offset += parameter.Length;
            state = state[own.Length..];
        }

        for (int replica = 0; replica < _plan.Settings.Replicas && _plan.CarriesResidual && !slice.Frozen; replica++)
        {
            job.Outputs[2 + (replica * slice.CarriedCount)] = Zeros(slice.Length);
        }
    }

    private BufferHandle Zeros(long length)
    {
        if (length == 0)
        {
            return BufferHandle.None;
        }

        BufferHandle buffer = _pool.Rent(length * ValueBytes);
        _pool.Bytes(buffer).Clear();
        return buffer;
    }
}
