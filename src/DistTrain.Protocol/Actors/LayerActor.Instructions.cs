using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <content>What each instruction does.</content>
public sealed partial class LayerActor
{
    /// <summary>Starts an instruction, or finishes it at once; false when what it needs is not there yet.</summary>
    private bool Execute(Instruction instruction)
    {
        MicroBatchSlot slot = Slot(instruction.Step, instruction.MicroBatch);
        switch (instruction.Kind)
        {
            case InstructionKind.LoadInput:
                Load(instruction, targets: false);
                return true;
            case InstructionKind.LoadTarget:
                Load(instruction, targets: true);
                return true;
            case InstructionKind.ReceiveActivation when slot.Input.IsNone:
            case InstructionKind.ReceiveSignal when slot.Signal.IsNone:
                return false;
            case InstructionKind.Forward:
                return Forward(instruction, slot);
            case InstructionKind.Loss:
                Loss(instruction, slot);
                return true;
            case InstructionKind.Backward:
                Backward(instruction, slot);
                return true;
            case InstructionKind.Contribute when !MayContribute():
                return false;
            case InstructionKind.Contribute when TryCompress(instruction.Step):
                return true;
            case InstructionKind.Contribute:
                Contribute(instruction.Step);
                break;
            case InstructionKind.SendActivation:
                Send(
                    Plan.Topology.LayerActor(_replica, _stage.Index + 1),
                    new Activation(instruction.Step, instruction.MicroBatch, slot.NonFiniteLayer, slot.Output));
                break;
            case InstructionKind.SendSignal:
                Send(
                    Plan.Topology.LayerActor(_replica, _stage.Index - 1),
                    new Signal(instruction.Step, instruction.MicroBatch, _signalBelow));
                Effects.Release(_signalBelow);
                _signalBelow = BufferHandle.None;
                break;
        }

        _current = null;
        return true;
    }

    private void Load(Instruction instruction, bool targets)
    {
        (_jobs.Load.FirstRow, _jobs.Load.Rows) = Plan.RowsOf(instruction.Step, _replica, instruction.MicroBatch);
        _jobs.Load.Step = instruction.Step;
        _jobs.Load.MicroBatch = instruction.MicroBatch;
        _jobs.Load.Targets = targets;
        _jobs.Load.Outputs[0] = BufferHandle.None;
        Contributions?.Lend(_jobs.Load);
        RunJob(_jobs.Load);
    }

    private bool Forward(Instruction instruction, MicroBatchSlot slot)
    {
        WeightSet? weights = WeightsAfter(_instructions!.WeightsFor(instruction.Step));
        if (weights is null)
        {
            return false;
        }

        weights.Users++;
        slot.Weights = weights;
        Place(_jobs.Forward, instruction);
        _jobs.Forward.WeightStep = weights.Step;
        _jobs.Forward.Inputs[0] = slot.Input;
        weights.Slices.CopyTo(_jobs.Forward.Inputs, 1);
        Array.Clear(_jobs.Forward.Outputs);
        RunJob(_jobs.Forward);
        return true;
    }

    private void Loss(Instruction instruction, MicroBatchSlot slot)
    {
        Place(_jobs.Loss, instruction);
        _jobs.Loss.RowWeight = 1.0 / (Plan.Settings.ParameterServer.Aggregate == Aggregate.Mean
            ? Plan.RowsInStep(instruction.Step)
            : ReplicaRows(instruction.Step));
        _jobs.Loss.Inputs[0] = slot.Output;
        _jobs.Loss.Inputs[1] = slot.Stash;
        _jobs.Loss.Inputs[2] = slot.Target;
        _jobs.Loss.Outputs[0] = BufferHandle.None;
        RunJob(_jobs.Loss);
    }

    private void OnLoss(MicroBatchSlot slot, LossJob loss)
    {
        slot.Signal = loss.Outputs[0];
        _lossSum += loss.Result.LossSum;
        _correct += loss.Result.Correct;
        _nonFiniteLayer = _nonFiniteLayer >= 0 ? _nonFiniteLayer : slot.NonFiniteLayer;
    }

    private void Backward(Instruction instruction, MicroBatchSlot slot)
    {
        Place(_jobs.Backward, instruction);
        _jobs.Backward.WeightStep = slot.Weights!.Step;
        _jobs.Backward.Inputs[0] = slot.Input;
        _jobs.Backward.Inputs[1] = slot.Output;
        _jobs.Backward.Inputs[2] = slot.Stash;
        _jobs.Backward.Inputs[3] = slot.Signal;
        slot.Weights.Slices.CopyTo(_jobs.Backward.Inputs, 4);
        _jobs.Backward.Outputs[0] = BufferHandle.None;

        // The gradient so far goes with the job and comes back with it: should an epoch begin meanwhile, it is given back once.
        _gradient.Slices.CopyTo(_jobs.Backward.Outputs, 1);
        Array.Clear(_gradient.Slices);
        RunJob(_jobs.Backward);
    }

    /// <summary>Compresses the next slice that is still to be compressed; false when there is none.</summary>
    private bool TryCompress(long step)
    {
        if (Plan.Settings.ParameterServer.Compression == CompressionKind.None || !_gradient.TryCompressNext(_jobs.Compress, _stage))
        {
            return false;
        }

        _jobs.Compress.Step = step;
        RunJob(_jobs.Compress);
        return true;
    }

    /// <summary>Sends every slice of the step's gradient; the step is over here.</summary>
    private void Contribute(long step)
    {
        for (int position = 0; position < _stage.Slices.Count; position++)
        {
            SlicePlan slice = Plan.Slices[_stage.Slices[position]];
            Send(
                Plan.Topology.Shard(slice.Shard),
                new Contribution(step, slice.Index, _replica, _gradient.Slices[position], _gradient.Residuals[position]));
        }

        if (_isLast)
        {
            Send(ActorId.Coordinator, new StepResult(step, _replica, _lossSum, _correct, ReplicaRows(step), _nonFiniteLayer));
        }

        _contributed = step;
        StartStep();
        ReleaseOldWeights();
    }

    private void Place(StageJob job, Instruction instruction)
    {
        job.Step = instruction.Step;
        job.MicroBatch = instruction.MicroBatch;
        (job.FirstRow, job.Rows) = Plan.RowsOf(instruction.Step, _replica, instruction.MicroBatch);
    }

    private int ReplicaRows(long step) => EvenSplit.Part(Plan.RowsInStep(step), Plan.Settings.Replicas, _replica).Count;
}
