using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Layers;
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
    private bool Execute(in Instruction instruction)
    {
        MicroBatchSlot slot = Slot(instruction.Step, instruction.MicroBatch);
        switch (instruction.Kind)
        {
            case InstructionKind.LoadInput when instruction.Step == _loadedAhead:
                _hasCurrent = false;
                return true;
            case InstructionKind.LoadInput:
            case InstructionKind.LoadNetworkInput:
                Load(instruction, targets: false);
                return true;
            case InstructionKind.LoadTarget:
                Load(instruction, targets: true);
                return true;
            case InstructionKind.ReceiveActivation when slot.Input.IsNone:
            case InstructionKind.ReceiveSignal when slot.Signal.IsNone:

            // What was carried over a recovery may still be on its way.
            case InstructionKind.Replay when slot.Input.IsNone:
            case InstructionKind.Fit when instruction.Step > 0 && slot.Output.IsNone:
                return false;
            case InstructionKind.Forward:
            case InstructionKind.Replay:
                return Forward(instruction, slot);
            case InstructionKind.Loss:
                Loss(instruction, slot);
                return true;
            case InstructionKind.LocalLoss:
            case InstructionKind.Predict:
            case InstructionKind.Fit:
            case InstructionKind.Target:
                Learn(instruction, slot);
                return true;
            case InstructionKind.Backward:
                return Backward(instruction, slot);
            case InstructionKind.Gradient:
                Gradient(instruction);
                return true;
            case InstructionKind.Contribute when !MayContribute():
                return false;
            case InstructionKind.Contribute when TryCompress(instruction.Step):
                return true;
            default:
                ExecuteAtOnce(instruction, slot);
                _hasCurrent = false;
                return true;
        }
    }

    /// <summary>Instructions that need no job and wait for nothing.</summary>
    private void ExecuteAtOnce(in Instruction instruction, MicroBatchSlot slot)
    {
        switch (instruction.Kind)
        {
            case InstructionKind.SendActivation:
                Send(
                    Plan.Topology.LayerActor(_replica, _stage.Index + 1),
                    new Activation(instruction.Step, instruction.MicroBatch, slot.NonFiniteLayer, slot.Output));
                break;
            case InstructionKind.SendSignal:
                SendSignal(instruction);
                break;
            case InstructionKind.Broadcast:
                for (int stage = 0; stage < _stage.Index; stage++)
                {
                    Send(
                        Plan.Topology.LayerActor(_replica, stage),
                        new Signal(instruction.Step, instruction.MicroBatch, slot.Signal));
                }

                break;
            case InstructionKind.KeepInput:
                KeepInput(slot);
                break;
            case InstructionKind.KeepOutput:
                KeepOutput(slot);
                break;
            case InstructionKind.Free:
                Free(slot);
                break;
            case InstructionKind.Contribute:
                Contribute(instruction.Step);
                break;
            case InstructionKind.Report:
                StepResult result = new(instruction.Step, _replica, _lossSum, _correct, ReplicaRows(instruction.Step), _nonFiniteLayer);
                Send(ActorId.Coordinator, result);
                if (Plan.Topology.Copies > 1)
                {
                    // A new coordinator learns it from there.
                    SendToShard(ParameterShard.BookShard, result);
                }

                break;
        }
    }

    private void Load(in Instruction instruction, bool targets)
    {
        (_jobs.Load.FirstRow, _jobs.Load.Rows) = Plan.RowsOf(instruction.Step, _replica, instruction.MicroBatch);
        _jobs.Load.Step = instruction.Step;
        _jobs.Load.MicroBatch = instruction.MicroBatch;
        _jobs.Load.Targets = targets;
        _jobs.Load.Outputs[0] = BufferHandle.None;
        Contributions?.Lend(_jobs.Load);
        RunJob(_jobs.Load);
    }

    private bool Forward(in Instruction instruction, MicroBatchSlot slot)
    {
        WeightSet? weights = WeightsAfter(_instructions!.WeightsFor(instruction));
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

    private void Loss(in Instruction instruction, MicroBatchSlot slot)
    {
        Place(_jobs.Loss, instruction);
        _jobs.Loss.RowWeight = RowWeight(instruction.Step);
        _jobs.Loss.Inputs[0] = slot.Output;
        _jobs.Loss.Inputs[1] = slot.Stash;
        _jobs.Loss.Inputs[2] = slot.Target;
        _jobs.Loss.Outputs[0] = BufferHandle.None;
        RunJob(_jobs.Loss);
    }

    private void OnLoss(MicroBatchSlot slot, in LossResult result)
    {
        _lossSum += result.LossSum;
        _correct += result.Correct;
        _nonFiniteLayer = _nonFiniteLayer >= 0 ? _nonFiniteLayer : slot.NonFiniteLayer;
    }

    private bool Backward(in Instruction instruction, MicroBatchSlot slot)
    {
        if (slot.Weights is null && !TryTakeRestoredWeights(instruction.Step, slot))
        {
            return false;
        }

        BackwardJob job = _jobs.Backward;
        Place(job, instruction);
        job.WeightStep = slot.Weights!.Step;
        job.Accumulate = instruction.MicroBatch > 0;
        job.Inputs[0] = slot.Input;
        job.Inputs[1] = slot.Output;
        job.Inputs[2] = slot.Stash;
        job.Inputs[3] = slot.LocalSignal.IsNone ? slot.Signal : slot.LocalSignal;
        slot.Weights.Slices.CopyTo(job.Inputs, 4);
        job.Outputs[0] = BufferHandle.None;
        GiveGradient(job.Outputs.AsSpan(1));
        RunJob(job);
        return true;
    }

    private void Gradient(in Instruction instruction)
    {
        GradientJob job = _jobs.Gradient;
        Place(job, instruction);
        job.MicroBatches = Plan.MultipliedOutAfter(instruction.MicroBatch);
        job.Rows = Plan.RowsOf(instruction.Step, _replica, instruction.MicroBatch, job.MicroBatches);
        GiveGradient(job.Outputs);
        RunJob(job);
    }

    /// <summary>The gradient so far goes with the job and comes back with it: should an epoch begin meanwhile, it is given back
    /// once.</summary>
    private void GiveGradient(Span<BufferHandle> outputs)
    {
        _gradient.Slices.CopyTo(outputs);
        Array.Clear(_gradient.Slices);
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
        SendCarried(step);
        for (int position = 0; position < _stage.Slices.Count; position++)
        {
            SlicePlan slice = Plan.Slices[_stage.Slices[position]];
            SendToShard(
                slice.Shard,
                new Contribution(step, slice.Index, _replica, _gradient.Slices[position], _gradient.Residuals[position]));
        }

        _contributed = step;
        StartStep();
        ReleaseOldWeights();
    }

    /// <summary>A shard takes one step's contribution after the other, so this one waits for the weights that hold the one
    /// before.</summary>
    private bool MayContribute()
    {
        bool may = _noWeights is not null;
        foreach (WeightSet set in _weights)
        {
            may |= set.IsComplete && set.Step >= _contributed;
        }

        return may;
    }

    private void Place(StageJob job, in Instruction instruction)
    {
        job.Step = instruction.Step;
        job.UpdateStep = _contributed + 1;
        job.MicroBatch = instruction.MicroBatch;
        (job.FirstRow, job.Rows) = Plan.RowsOf(instruction.Step, _replica, instruction.MicroBatch);
    }

    private double RowWeight(long step) => 1.0 / (Plan.Settings.ParameterServer.Aggregate == Aggregate.Mean
        ? Plan.RowsInStep(step)
        : ReplicaRows(step));

    private int ReplicaRows(long step) => EvenSplit.Part(Plan.RowsInStep(step), Plan.Settings.Replicas, _replica).Count;
}
