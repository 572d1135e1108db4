using System.Numerics;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// Owns one stage of one replica: runs the method's instructions one after the other, each when what it needs is there. The
/// final-layer actor is the
/// layer actor of the last stage; it also owns the loss. It keeps nothing that outlives a step but what it carries, so it
/// may die at any time.
/// </summary>
public sealed partial class LayerActor : ActorMachine
{
    private readonly StagePlan _stage;
    private readonly int _replica, _microBatches, _slotSteps;
    private readonly bool _isFirst, _isLast;
    private readonly MicroBatchSlot[] _slots;
    private readonly WeightSet[] _weights;
    private readonly StepGradient _gradient;
    private readonly EvaluationPass _evaluation;
    private readonly WeightSet? _noWeights;
    private InstructionSource? _instructions;
    private Instruction _current;
    private LayerJobs _jobs;
    private BufferHandle _signalBelow, _sentSignal;
    private bool _jobRuns, _hasCurrent;
    private long _contributed, _oldestRestored, _restoredThrough;
    private double _lossSum;
    private int _correct, _nonFiniteLayer = -1;

    /// <summary>The layer actor of a replica's stage.</summary>
    public LayerActor(RunPlan plan, ActorId self, int incarnation, long run)
        : base(plan, self, incarnation, run)
    {
        (_replica, int stage) = plan.Topology.StageOf(self);
        _stage = plan.Stages[stage];
        _isFirst = plan.IsFirstStage(stage);
        _isLast = plan.IsLastStage(stage);
        _microBatches = plan.Settings.Training.MicroBatches;

        // A stage may receive the next step's activations while it finishes a step.
        int stepsAtOnce = plan.Asynchronous ? 2 : plan.StepsUncommittedMax + 1 + Math.Max(_stage.Carried.Inputs, _stage.Carried.Outputs);

        // A power of two, because every instruction looks for its slot and a division takes as long as the rest of that.
        _slotSteps = (int)BitOperations.RoundUpToPowerOf2((uint)stepsAtOnce);
        _slots = new MicroBatchSlot[_slotSteps * _microBatches];
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            _slots[slot] = new MicroBatchSlot();
        }

        _weights = new WeightSet[stepsAtOnce + 2];
        for (int set = 0; set < _weights.Length; set++)
        {
            _weights[set] = new WeightSet(_stage.Slices.Count);
        }

        // Nobody sends weights to a stage without parameters.
        _noWeights = _stage.Slices.Count == 0 ? new WeightSet(0) : null;
        _gradient = new StepGradient(_stage.Slices.Count);
        Contributions = plan.Front is null ? null : new ContributionCollection(this, plan.Front);
        _evaluation = new EvaluationPass(this, _stage, _replica, _isFirst, _isLast);
        _jobs = NewJobs();
    }

    /// <inheritdoc/>
    public override string WaitsFor =>
        _evaluation.IsActive ? _evaluation.WaitsFor
        : _jobRuns ? "a job"
        : Contributions is { WaitsFor.Length: > 0 } contributions ? contributions.WaitsFor
        : !_hasCurrent ? ""
        : _current.Kind switch
        {
            InstructionKind.ReceiveActivation => $"the activation of step {_current.Step}, micro-batch {_current.MicroBatch}",
            InstructionKind.ReceiveSignal => $"the signal of step {_current.Step}, micro-batch {_current.MicroBatch}",
            InstructionKind.Forward or InstructionKind.Replay => $"the weights after step {_instructions!.WeightsFor(_current)}",
            _ => "",
        };

    private protected override void OnMessage(ActorId from, Message message)
    {
        switch (message)
        {
            case Activation activation:
                MicroBatchSlot received = Slot(activation.Step, activation.MicroBatch);
                InvariantException.Require(received.Input.IsNone, "A slot is free when its activation arrives.");
                Effects.Retain(activation.Buffer);
                received.Input = activation.Buffer;
                received.NonFiniteLayer = activation.NonFiniteLayer;
                break;
            case Signal signal:
                MicroBatchSlot slot = Slot(signal.Step, signal.MicroBatch);
                InvariantException.Require(slot.Signal.IsNone, "A signal arrives once.");
                Effects.Retain(signal.Buffer);
                slot.Signal = signal.Buffer;
                break;
            case Weights weights:
                OnWeights(weights);
                break;
            case Carried carried:
                OnCarried(carried);
                break;
            case IssueStep issue:
                _instructions!.Issue(issue.Step, issue.Barrier);
                break;
            case Drain drain:
                _instructions!.Drain(drain.LastStep);
                break;
            case CollectContributions collect:
                Contributions!.Begin(collect.Step);
                break;
            case ContributedTile tile:
                Contributions!.Take(tile);
                break;
            case Evaluate evaluate:
                _evaluation.Begin(evaluate);
                break;
            default:
                _evaluation.OnMessage(message);
                break;
        }

        Advance();
    }

    private protected override void OnEpoch(long committedStep)
    {
        ReleaseState();
        _hasCurrent = _jobRuns = false;
        _jobs = NewJobs();
        _loadedAhead = 0;
        StartStep();
        (_contributed, _restoredThrough) = (committedStep, committedStep);
        _oldestRestored = Math.Max(1, committedStep + 1 - _stage.Carried.Weights);
        _oldestRestored = _oldestRestored > committedStep ? long.MaxValue : _oldestRestored;
        _instructions = Plan.Method.Instructions(Plan, _stage.Index, committedStep);
    }

    // Only an evaluation waits for room.
    private protected override void OnAcknowledged()
    {
        if (_evaluation.IsActive)
        {
            Advance();
        }
    }

    private protected override void ReleaseState()
    {
        foreach (MicroBatchSlot slot in _slots)
        {
            Free(slot);
        }

        foreach (WeightSet set in _weights)
        {
            Free(set);
        }

        Effects.Release(_signalBelow);
        Effects.Release(_sentSignal);
        _signalBelow = _sentSignal = BufferHandle.None;
        _gradient.ReleaseAll(Effects);
        _evaluation.Abandon();
        Contributions?.Abandon();
    }

    private protected override void OnJobDone(Job job)
    {
        _jobRuns = false;
        if (job is AddTileJob tile)
        {
            Contributions!.OnJobDone(tile);
            return;
        }

        if (job is StageJob { Training: false })
        {
            _evaluation.OnJobDone(job);
            Advance();
            return;
        }

        if (TryTakeLoadedAhead(job))
        {
            Advance();
            return;
        }

        InvariantException.Require(_hasCurrent, "A job that is done belongs to the instruction at hand.");
        OnJobDone(job, _current, Slot(_current.Step, _current.MicroBatch));

        // A contribution may need several compressions, so that instruction is not over yet.
        _hasCurrent = job is CompressJob;
        Advance();
    }

    /// <summary>Runs a job for this actor; one at a time.</summary>
    internal void RunJob(Job job)
    {
        InvariantException.Require(!_jobRuns, "A layer actor runs one job at a time.");
        _jobRuns = true;
        Run(job);
    }

    /// <summary>Whether a job of this actor runs.</summary>
    internal bool HasJob => _jobRuns;

    /// <summary>What the rows have contributed, under front contribution.</summary>
    internal ContributionCollection? Contributions { get; }

    /// <summary>Sends for a part of this actor.</summary>
    internal void SendTo(ActorId to, Message message) => Send(to, message);

    /// <summary>Whether a part of this actor may send more now.</summary>
    internal bool MaySendTo(ActorId to) => HasRoomTo(to);

    /// <summary>The effects of the step under way, for a part of this actor.</summary>
    internal EffectList CurrentEffects => Effects;

    /// <summary>The complete weights after a step, or null while slices are missing.</summary>
    internal WeightSet? WeightsAfter(long step)
    {
        if (_noWeights is not null)
        {
            return _noWeights;
        }

        foreach (WeightSet set in _weights)
        {
            if (set.Step == step && set.IsComplete)
            {
                return set;
            }
        }

        return null;
    }

    // Jobs of an earlier epoch may still run on the host: their objects are left to them.
    private LayerJobs NewJobs() => new(
        _stage,
        _replica,
        training: true,
        Plan.Method.Path(Plan.Settings),
        !_isFirst && Plan.Method.PassesSignal(_stage.Index, Plan.Stages.Count));

    /// <summary>Runs instructions until one has to wait.</summary>
    private void Advance()
    {
        if (_instructions is null)
        {
            return;
        }

        while (!_jobRuns)
        {
            _hasCurrent = _hasCurrent || _instructions.TryNext(out _current);

            // A stage without parameters may still have signals to pass on when the step is committed, so evaluations come
            // after instructions.
            if (!(_hasCurrent ? Execute(_current) : _evaluation.IsActive && _evaluation.Advance()))
            {
                LoadAhead();
                return;
            }
        }
    }

    private void StartStep()
    {
        _gradient.ReleaseGradient(Effects);
        _lossSum = 0;
        _correct = 0;
        _nonFiniteLayer = -1;
    }

    private void OnWeights(Weights weights)
    {
        WeightSet set = FindSet(weights.Step) ?? FreeSet();
        if (set.Step != weights.Step)
        {
            set.Begin(weights.Step);
        }

        int position = PositionOf(weights.Slice);
        BufferHandle buffer = weights.Buffer.IsNone ? UnchangedSince(weights.Step - 1, position) : weights.Buffer;
        Effects.Retain(buffer);
        set.Arrive(position, buffer);
        if (!weights.Carried.IsNone)
        {
            Effects.Retain(weights.Carried);
            _gradient.SetResidual(position, weights.Carried, Effects);
        }

        ReleaseOldWeights();
    }

    /// <summary>A version is kept until a newer one is complete, so the one that did not change is here.</summary>
    private BufferHandle UnchangedSince(long step, int position) =>
        FindSet(step)?.Slices[position] is { IsNone: false } buffer
            ? buffer
            : throw new InvariantException("Weights that a step did not change are those of the step before.");

    /// <summary>The next forward pass uses the newest version; older ones serve only passes whose backward pass is still to
    /// come.</summary>
    private void ReleaseOldWeights()
    {
        long newest = -1;
        foreach (WeightSet set in _weights)
        {
            newest = set.IsComplete ? Math.Max(newest, set.Step) : newest;
        }

        foreach (WeightSet set in _weights)
        {
            if (set.IsComplete && set.Step >= 0 && set.Step < newest && set.Step < _oldestRestored - 1 && set.Users == 0)
            {
                Free(set);
            }
        }
    }

    private WeightSet FreeSet() =>
        FindSet(WeightSet.FreeStep) ?? throw new InvariantException("Credit keeps the number of weight versions bounded.");

    private WeightSet? FindSet(long step)
    {
        foreach (WeightSet set in _weights)
        {
            if (set.Step == step)
            {
                return set;
            }
        }

        return null;
    }

    private int PositionOf(int slice)
    {
        for (int position = 0; position < _stage.Slices.Count; position++)
        {
            if (_stage.Slices[position] == slice)
            {
                return position;
            }
        }

        throw new InvariantException($"Slice {slice} belongs to stage {_stage.Index}.");
    }

    private MicroBatchSlot Slot(long step, int microBatch) => _slots[((int)(step & (_slotSteps - 1)) * _microBatches) + microBatch];

    private void Free(MicroBatchSlot slot)
    {
        Effects.Release(slot.Input);
        Effects.Release(slot.Output);
        Effects.Release(slot.Stash);
        Effects.Release(slot.Target);
        Effects.Release(slot.Signal);
        Effects.Release(slot.NetworkInput);
        Effects.Release(slot.LocalSignal);
        slot.Input = slot.Output = slot.Stash = slot.Target = slot.Signal = slot.NetworkInput = slot.LocalSignal = BufferHandle.None;
        LeaveWeights(slot);
        slot.NonFiniteLayer = -1;
    }

    private static void LeaveWeights(MicroBatchSlot slot)
    {
        if (slot.Weights is not null)
        {
            slot.Weights.Users--;
            slot.Weights = null;
        }
    }

    private void Free(WeightSet set)
    {
        foreach (BufferHandle slice in set.Slices)
        {
            Effects.Release(slice);
        }

        set.Free();
    }
}
