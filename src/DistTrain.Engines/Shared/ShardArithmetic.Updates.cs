using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Shared;

/// <content>One step's update of a slice.</content>
internal sealed partial class ShardArithmetic<T>
{
    private void Apply(ApplyJob job, ComputeScratch scratch, IForkJoin? fork)
    {
        SlicePlan slice = _plan.Slices[job.Slice];
        int stateCount = _optimizer.StateCount;
        job.Outputs[0] = _pool.Rent((long)slice.Length * ValueBytes);
        job.Outputs[1] = stateCount == 0 ? BufferHandle.None : _pool.Rent((long)slice.StateLength * stateCount * ValueBytes);
        TensorView<T> weights = _pool.View<T>(job.Inputs[0]), next = _pool.View<T>(job.Outputs[0]);
        Span<T> state = _pool.View<T>(job.Inputs[1]).Span, nextState = _pool.View<T>(job.Outputs[1]).Span;
        long mark = scratch.Mark;
        int offset = 0, encodedOffset = 0, gradientOffset = 0, stateOffset = 0;
        job.NonFiniteLayer = -1;
        foreach (ParameterSpec parameter in _tensors[job.Slice])
        {
            int length = parameter.Length;
            Range states = stateOffset..(stateOffset + (parameter.StateLength * stateCount));
            TensorView<T> before = weights.Slice(offset, 1, length), after = next.Slice(offset, 1, length);
            bool finite = job.Inputs.Length > 3 && ReplicaAggregation.IsSum(_server) && _updates.IsPlain(parameter)
                ? ApplySum(job, parameter, gradientOffset, encodedOffset, before, state[states], after, nextState[states], scratch, fork)
                : ApplyOne(job, parameter, gradientOffset, encodedOffset, before, state[states], after, nextState[states], scratch, fork);
            if (!finite && job.NonFiniteLayer < 0)
            {
                job.NonFiniteLayer = length == slice.Length ? FirstNotFinite(slice, next) : parameter.Layer;
            }

            offset += length;
            encodedOffset += _codec.EncodedBytes(length);
            gradientOffset += parameter.GradientLength;
            stateOffset = states.End.Value;
            scratch.Release(mark);
        }
    }

    /// <summary>
    /// What an update of each slice goes through: its tensors, or all of them as one where the optimizer takes them so. Optimizers and aggregations work value by value, so that this
    /// saves calls and changes no bit; several vectors of state and encoded gradients lie by tensor.
    /// </summary>
    private ParameterSpec[][] Tensors() =>
    [
        .. _plan.Slices.Select(slice => _optimizer.StateCount <= 1 && _server.Compression == CompressionKind.None && slice.Parameters.All(_updates.IsPlain)
            ? [new ParameterSpec($"slices.{slice.Index}", slice.Parameters[0].Layer, 1, slice.Length)]
            : (ParameterSpec[])[.. slice.Parameters]),
    ];

    /// <summary>The layer of the first tensor with a value that is not finite; of the first one where only what lies behind the values is not.</summary>
    private static int FirstNotFinite(SlicePlan slice, TensorView<T> values)
    {
        int offset = 0;
        foreach (ParameterSpec parameter in slice.Parameters)
        {
            if (!Elementwise.AllFinite<T>(values.Slice(offset, 1, parameter.Length).Span))
            {
                return parameter.Layer;
            }

            offset += parameter.Length;
        }

        return slice.Parameters[0].Layer;
    }

    /// <summary>The update of a tensor by one gradient, which several may have been made into.</summary>
    private bool ApplyOne(
        ApplyJob job, ParameterSpec parameter, int offset, int encodedOffset, TensorView<T> values, ReadOnlySpan<T> state, TensorView<T> next, Span<T> nextState,
        ComputeScratch scratch, IForkJoin? fork)
    {
        TensorView<T> gradient = ContributedSpec.IsScale(parameter)
            ? ContributedNorm.Zero<T>(scratch)
            : Aggregated(job, parameter, offset, encodedOffset, scratch);
        return _updates.Apply(
            parameter, job.LearningRate, job.Update, job.GradientScale, values, gradient, state, next, nextState, scratch, fork,
            InputsOf(job, parameter, offset));
    }

    /// <summary>The update of a tensor by the sum of the replicas' gradients, which never stands in memory.</summary>
    private bool ApplySum(
        ApplyJob job, ParameterSpec parameter, int offset, int encodedOffset, TensorView<T> values, ReadOnlySpan<T> state, TensorView<T> next, Span<T> nextState,
        ComputeScratch scratch, IForkJoin? fork)
    {
        Span<TensorView<T>> replicas = stackalloc TensorView<T>[job.Inputs.Length - 2];
        Decoded(job.Inputs.AsSpan(2), parameter, offset, encodedOffset, scratch, replicas);
        return _updates.ApplySum(parameter, job.LearningRate, job.Update, job.GradientScale, values, replicas, state, next, nextState, fork);
    }

    /// <summary>The inputs of a gradient that comes as factors, where they stand in a buffer of their own; else none.</summary>
    private TensorView<T> InputsOf(ApplyJob job, ParameterSpec parameter, int gradientOffset)
    {
        BufferHandle head = parameter.FactoredRows == 0 || gradientOffset > 0 ? BufferHandle.None : _pool.HeadOf(job.Inputs[2]);
        return head.IsNone ? default : _pool.View<T>(head, (int)(_pool.Length(head) / ValueBytes) / parameter.Columns, parameter.Columns);
    }

    /// <summary>One gradient of a tensor from the contributions to a step.</summary>
    private TensorView<T> Aggregated(ApplyJob job, ParameterSpec parameter, int offset, int encodedOffset, ComputeScratch scratch)
    {
        ReadOnlySpan<BufferHandle> contributions = job.Inputs.AsSpan(2);
        if (contributions.Length == 1)
        {
            return Decoded(contributions[0], parameter, offset, encodedOffset, scratch);
        }

        if (_server.Aggregate == Aggregate.Krum)
        {
            return Decoded(contributions[job.ChosenReplica], parameter, offset, encodedOffset, scratch);
        }

        return Aggregated(contributions, parameter, offset, encodedOffset, scratch);
    }

    private TensorView<T> Aggregated(
        ReadOnlySpan<BufferHandle> contributions, ParameterSpec parameter, int offset, int encodedOffset, ComputeScratch scratch)
    {
        TensorView<T> result = scratch.Take<T>(1, parameter.Length);
        Span<TensorView<T>> replicas = stackalloc TensorView<T>[contributions.Length];
        Decoded(contributions, parameter, offset, encodedOffset, scratch, replicas);
        ReplicaAggregation.Combine<T>(_server, replicas, result);
        return result;
    }

    private void Decoded(
        ReadOnlySpan<BufferHandle> contributions, ParameterSpec parameter, int offset, int encodedOffset, ComputeScratch scratch, Span<TensorView<T>> replicas)
    {
        for (int replica = 0; replica < replicas.Length; replica++)
        {
            replicas[replica] = Decoded(contributions[replica], parameter, offset, encodedOffset, scratch);
        }
    }

    private TensorView<T> Decoded(BufferHandle contribution, ParameterSpec parameter, int offset, int encodedOffset, ComputeScratch scratch)
    {
        if (_server.Compression == CompressionKind.None)
        {
            InvariantException.Require(
                _pool.Length(contribution) >= (offset + (long)parameter.GradientLength) * ValueBytes, "A contribution has the gradients of its slice.");

            // Whoever needs the head has it from its own buffer.
            return _pool.ViewBehindHead<T>(contribution).Slice(offset, 1, parameter.GradientLength);
        }

        TensorView<T> decoded = scratch.Take<T>(1, parameter.Length);
        _codec.Decode(_pool.Bytes(contribution).Slice(encodedOffset, _codec.EncodedBytes(parameter.Length)), decoded.Span);
        return decoded;
    }
}
