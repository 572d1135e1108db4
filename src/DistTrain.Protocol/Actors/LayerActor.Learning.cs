using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Actors;

/// <content>Signals that a stage makes itself, and what it carries from step to step.</content>
public sealed partial class LayerActor
{
    /// <summary>Starts the job of a stage that makes its own signal.</summary>
    private void Learn(in Instruction instruction, MicroBatchSlot slot)
    {
        LearningJob job;
        switch (instruction.Kind)
        {
            case InstructionKind.LocalLoss:
                job = _jobs.LocalLoss;
                (job.Inputs[0], job.Inputs[1]) = (slot.Output, slot.Target);
                job.Inputs[2] = _isFirst ? slot.Input : slot.NetworkInput;
                job.Outputs[0] = BufferHandle.None;
                break;
            case InstructionKind.Predict:
                job = _jobs.Predict;
                (job.Inputs[0], job.Inputs[1]) = (slot.Output, slot.Target);
                job.Outputs[0] = BufferHandle.None;
                break;
            case InstructionKind.Fit:
                job = _jobs.Fit;
                bool hasSignal = instruction.Step > 0;
                job.Inputs[0] = hasSignal ? slot.Output : BufferHandle.None;
                job.Inputs[1] = hasSignal ? slot.Target : BufferHandle.None;
                job.Inputs[2] = hasSignal ? slot.Signal : BufferHandle.None;
                break;
            default:
                job = _jobs.Target;
                (job.Inputs[0], job.Inputs[1]) = (slot.Input, slot.Output);
                job.Inputs[2] = _isLast ? _signalBelow : slot.Signal;
                (job.Outputs[0], job.Outputs[1]) = (BufferHandle.None, BufferHandle.None);
                break;
        }

        int slices = _stage.Slices.Count;
        WeightSet weights = slot.Weights ?? WeightsAfter(_contributed)
            ?? throw new InvariantException("A stage makes its signal with the weights of the step's forward pass.");
        weights.Slices.CopyTo(job.Inputs, job.Inputs.Length - slices);
        if (WritesGradient(instruction))
        {
            GiveGradient(job.Outputs.AsSpan(job.Outputs.Length - slices));
        }

        job.WeightStep = weights.Step;
        job.Accumulate = instruction.MicroBatch > 0;
        job.RowWeight = RowWeight(Math.Max(1, instruction.Step));
        (job.Step, job.MicroBatch, job.Rows) = (0, 0, 0);
        if (instruction.Step > 0)
        {
            Place(job, instruction);
        }

        RunJob(job);
    }

    /// <summary>The last stage's first target has no inverse to train, and a prediction is not a fit.</summary>
    private bool WritesGradient(in Instruction instruction) => instruction.Kind switch
    {
        InstructionKind.Predict => false,
        InstructionKind.Target => !_isLast,
        _ => true,
    };

    private void OnJobDone(Job job, in Instruction instruction, MicroBatchSlot slot)
    {
        switch (job)
        {
            case LoadBatchJob { Targets: true }:
                slot.Target = job.Outputs[0];
                break;
            case LoadBatchJob when instruction.Kind == InstructionKind.LoadNetworkInput:
                slot.NetworkInput = job.Outputs[0];
                break;
            case LoadBatchJob:
                slot.Input = job.Outputs[0];
                break;
            case ForwardJob forward:
                slot.Output = job.Outputs[0];
                slot.Stash = job.Outputs[1];
                slot.NonFiniteLayer = slot.NonFiniteLayer >= 0 ? slot.NonFiniteLayer : forward.NonFiniteLayer;
                break;
            case LossJob loss:
                slot.Signal = loss.Outputs[0];
                OnLoss(slot, loss.Result);
                break;
            case BackwardJob:
                _signalBelow = job.Outputs[0];
                TakeGradient(job);
                break;
            case LocalLossJob local:
                slot.LocalSignal = job.Outputs[0];
                TakeGradient(job);
                OnLoss(slot, local.Result);
                break;
            case PredictJob:
                slot.LocalSignal = job.Outputs[0];
                break;
            case FitJob or GradientJob:
                TakeGradient(job);
                break;
            case TargetJob:
                Effects.Release(_signalBelow);
                (slot.LocalSignal, _signalBelow) = (job.Outputs[0], job.Outputs[1]);
                if (WritesGradient(instruction))
                {
                    TakeGradient(job);
                }

                break;
            case CompressJob compress:
                _gradient.OnCompressed(compress, Effects);
                break;
        }
    }

    private void TakeGradient(Job job) =>
        job.Outputs.AsSpan(job.Outputs.Length - _stage.Slices.Count).CopyTo(_gradient.Slices);

    private void SendSignal(in Instruction instruction)
    {
        Send(
            Plan.Topology.LayerActor(_replica, _stage.Index - 1),
            new Signal(instruction.Step, instruction.MicroBatch, _signalBelow));
        if (_stage.Carried.Signals > 0)
        {
            Effects.Release(_sentSignal);
            _sentSignal = _signalBelow;
        }
        else
        {
            Effects.Release(_signalBelow);
        }

        _signalBelow = BufferHandle.None;
    }

    private void KeepInput(MicroBatchSlot slot)
    {
        Effects.Release(slot.Output);
        Effects.Release(slot.Stash);
        slot.Output = slot.Stash = BufferHandle.None;
        LeaveWeights(slot);
    }

    private void KeepOutput(MicroBatchSlot slot)
    {
        Effects.Release(slot.Input);
        Effects.Release(slot.Stash);
        Effects.Release(slot.Target);
        Effects.Release(slot.LocalSignal);
        slot.Input = slot.Stash = slot.Target = slot.LocalSignal = BufferHandle.None;
        LeaveWeights(slot);
    }

    /// <summary>Gives the shard what later steps will need of this one, before the contribution that it is committed with.</summary>
    private void SendCarried(long step)
    {
        if (_stage.Carried.Count == 0)
        {
            return;
        }

        MicroBatchSlot slot = Slot(step, 0);
        SendCarried(step, CarriedKind.Input, slot.Input);
        SendCarried(step, CarriedKind.Output, slot.Output);
        SendCarried(step, CarriedKind.Stash, slot.Stash);
        SendCarried(step, CarriedKind.Signal, _sentSignal);
        Effects.Release(_sentSignal);
        _sentSignal = BufferHandle.None;
    }

    private void SendCarried(long step, CarriedKind kind, BufferHandle buffer)
    {
        if (_stage.Carried.StepsOf(kind) > 0 && !buffer.IsNone)
        {
            int keeper = _stage.Slices[0];
            SendToShard(Plan.Slices[keeper].Shard, new Carry(step, keeper, _replica, kind, buffer));
        }
    }

    /// <summary>What this stage carried at the committed step comes back; a signal goes on to the stage that still needs it.</summary>
    private void OnCarried(Carried carried)
    {
        if (carried.Kind == CarriedKind.Signal)
        {
            Send(
                Plan.Topology.LayerActor(_replica, _stage.Index - 1),
                new Signal(_instructions!.RowsOfSignal(carried.Step), 0, carried.Buffer));
            return;
        }

        Effects.Retain(carried.Buffer);
        MicroBatchSlot slot = Slot(carried.Step, 0);
        switch (carried.Kind)
        {
            case CarriedKind.Input:
                slot.Input = carried.Buffer;
                break;
            case CarriedKind.Output:
                slot.Output = carried.Buffer;
                break;
            default:
                slot.Stash = carried.Buffer;
                break;
        }
    }

    /// <summary>A batch whose forward pass lies before the committed step takes the weights of that pass, which come back with what
    /// it carried.</summary>
    private bool TryTakeRestoredWeights(long step, MicroBatchSlot slot)
    {
        if (WeightsAfter(step - 1) is not WeightSet kept || slot.Input.IsNone || slot.Output.IsNone || slot.Stash.IsNone)
        {
            return false;
        }

        kept.Users++;
        slot.Weights = kept;
        _oldestRestored = step >= _restoredThrough ? long.MaxValue : step + 1;
        return true;
    }
}
