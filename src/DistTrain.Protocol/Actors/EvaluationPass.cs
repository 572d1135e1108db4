using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// A layer actor's part in an evaluation: batches of the split go forward through the pipeline with the weights of one
/// committed step. Replica r takes
/// batches r, r + R, …; the final-layer actor adds losses in batch order and returns credit for each batch.
/// </summary>
internal sealed class EvaluationPass
{
    private readonly LayerActor _actor;
    private readonly int _replica;
    private readonly bool _isFirst, _isLast;
    private readonly ActorId _first, _next;
    private readonly Queue<BufferHandle> _arrived = new();
    private readonly StagePlan _stage;
    private Evaluate? _round;
    private LayerJobs _jobs;
    private int _batch, _batches, _credited;
    private BufferHandle _input, _output, _stash, _target;
    private double _lossSum;
    private int _correct, _rows;

    public EvaluationPass(LayerActor actor, StagePlan stage, int replica, bool isFirst, bool isLast)
    {
        _actor = actor;
        _stage = stage;
        _replica = replica;
        _isFirst = isFirst;
        _isLast = isLast;
        _first = actor.Plan.Topology.LayerActor(replica, 0);
        _next = isLast ? default : actor.Plan.Topology.LayerActor(replica, stage.Index + 1);
        _jobs = NewJobs();
    }

    /// <summary>Whether an evaluation is under way here.</summary>
    public bool IsActive => _round is not null;

    /// <summary>For people.</summary>
    public string WaitsFor => $"evaluation batch {_batch}";

    /// <summary>Batches that may be in a replica's pipeline at once: enough to keep every stage busy.</summary>
    public static int CreditBatches(int stages) => (2 * stages) + 2;

    /// <summary>Starts a round.</summary>
    public void Begin(Evaluate round)
    {
        // A stage that still passes on signals may not have come to a round in which its replica has no batch.
        InvariantException.Require(!IsActive || _batch >= _batches, "Evaluations follow one another.");
        _round = round;
        _batch = _replica;
        _batches = (Rows(round.Split) + Limits.EvaluationRowsMax - 1) / Limits.EvaluationRowsMax;
        _credited = CreditBatches(_actor.Plan.Stages.Count);
        _lossSum = 0;
        _correct = 0;
        _rows = 0;
    }

    /// <summary>An evaluation message arrived.</summary>
    public void OnMessage(Message message)
    {
        switch (message)
        {
            case EvaluationActivation activation:
                _actor.CurrentEffects.Retain(activation.Buffer);
                _arrived.Enqueue(activation.Buffer);
                break;
            case EvaluationCredit credit:
                // What comes late from an earlier round is no credit for this one.
                _credited += credit.Round == _round?.Round ? 1 : 0;
                break;
            default:
                throw new InvariantException($"A layer actor takes no {message.GetType().Name}.");
        }
    }

    /// <summary>Goes on as far as it can; false when something has to arrive first.</summary>
    public bool Advance()
    {
        if (_batch >= _batches)
        {
            End();
            return true;
        }

        if (_input.IsNone)
        {
            return _isFirst ? TryLoadInput() : TryTakeInput();
        }

        if (_output.IsNone)
        {
            return TryForward();
        }

        if (!_isLast)
        {
            if (!_actor.MaySendTo(_next))
            {
                return false;
            }

            _actor.SendTo(_next, new EvaluationActivation(_round!.Round, _batch, _output));
            EndBatch();
            return true;
        }

        if (_target.IsNone)
        {
            Load(targets: true);
            return true;
        }

        _jobs.Loss.Inputs[0] = _output;
        _jobs.Loss.Inputs[1] = _stash;
        _jobs.Loss.Inputs[2] = _target;
        Place(_jobs.Loss);
        _actor.RunJob(_jobs.Loss);
        return true;
    }

    /// <summary>A job of this pass completed.</summary>
    public void OnJobDone(Job job)
    {
        switch (job)
        {
            case LoadBatchJob { Targets: true }:
                _target = job.Outputs[0];
                break;
            case LoadBatchJob:
                _input = job.Outputs[0];
                break;
            case ForwardJob:
                _output = job.Outputs[0];
                _stash = job.Outputs[1];
                break;
            case LossJob loss:
                _lossSum += loss.Result.LossSum;
                _correct += loss.Result.Correct;
                _rows += loss.Result.Rows;
                if (!_isFirst)
                {
                    _actor.SendTo(_first, new EvaluationCredit(_round!.Round, _batch));
                }

                EndBatch();
                break;
        }
    }

    /// <summary>Forgets the round and gives its buffers back.</summary>
    public void Abandon()
    {
        ReleaseBatch();
        while (_arrived.TryDequeue(out BufferHandle buffer))
        {
            _actor.CurrentEffects.Release(buffer);
        }

        _round = null;
        _jobs = NewJobs();
    }

    private bool TryLoadInput()
    {
        if (_credited == 0)
        {
            return false;
        }

        _credited -= _isLast ? 0 : 1;
        Load(targets: false);
        return true;
    }

    private bool TryTakeInput()
    {
        if (!_arrived.TryDequeue(out BufferHandle buffer))
        {
            return false;
        }

        _input = buffer;
        return true;
    }

    private bool TryForward()
    {
        WeightSet? weights = _actor.WeightsAfter(_round!.Step);
        if (weights is null)
        {
            return false;
        }

        Place(_jobs.Forward);
        _jobs.Forward.WeightStep = weights.Step;
        _jobs.Forward.Inputs[0] = _input;
        weights.Slices.CopyTo(_jobs.Forward.Inputs, 1);
        Array.Clear(_jobs.Forward.Outputs);
        _actor.RunJob(_jobs.Forward);
        return true;
    }

    private void Load(bool targets)
    {
        Place(_jobs.Load);
        _jobs.Load.Targets = targets;
        _jobs.Load.Outputs[0] = BufferHandle.None;
        _actor.Contributions?.Lend(_jobs.Load);
        _actor.RunJob(_jobs.Load);
    }

    private void Place(StageJob job)
    {
        job.Split = _round!.Split;
        job.FirstRow = _batch * Limits.EvaluationRowsMax;
        job.Rows = Math.Min(Limits.EvaluationRowsMax, Rows(_round.Split) - job.FirstRow);
    }

    private void EndBatch()
    {
        ReleaseBatch();
        _batch += _actor.Plan.Settings.Replicas;
    }

    private void End()
    {
        if (_isLast)
        {
            _actor.SendTo(ActorId.Coordinator, new EvaluationResult(_round!.Round, _replica, _lossSum, _correct, _rows));
        }

        _round = null;
    }

    private void ReleaseBatch()
    {
        _actor.CurrentEffects.Release(_input);
        _actor.CurrentEffects.Release(_output);
        _actor.CurrentEffects.Release(_stash);
        _actor.CurrentEffects.Release(_target);
        _input = _output = _stash = _target = BufferHandle.None;
    }

    private int Rows(DataSplit split) => split == DataSplit.Train ? _actor.Plan.TrainRows : _actor.Plan.TestRows;

    private LayerJobs NewJobs() => new(_stage, _replica, training: false);
}
