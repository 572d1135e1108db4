using DistTrain.Engines.Faults;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>Turns the protocol's reports into what an observer hears and what a run's outcome says. Called by one thread at
/// a time.</summary>
internal sealed class RunRecorder(RunPlan plan, bool targetsAreClasses, IRunObserver observer, TimeProvider time)
{
    // The end of the training is known to within this, or a step where steps take longer; the end of an epoch, after which a network is evaluated, exactly.
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMilliseconds(1);
    private const int StepsPerReadMax = 64;

    private readonly RunClock _clock = new(time);
    private long _reportedStep, _readAtStep;
    private int _stepsPerRead = 1;
    private bool _isUnread;
    private int _reportedEpoch;
    private double _finalLoss = double.NaN;
    private double? _testLoss, _trainAccuracy, _testAccuracy;
    private long _rowsTrained, _stepsRedone;
    private int _recoveries;
    private TimeSpan _evaluating;
    private TimeSpan? _trainingEnd, _training;

    /// <summary>How the run ended; null while it runs.</summary>
    public RunEnded? Ended { get; private set; }

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>What the run goes on from: steps and epochs up to there were reported, except an epoch that waits for its evaluation.</summary>
    public void StartAfter(CoordinatorProgress from)
    {
        _reportedStep = from.Step;
        _reportedEpoch = (int)(from.Step / plan.StepsPerEpoch) - (from.Step > 0 && plan.EndsEpoch(from.Step) && from.EpochRows > 0 ? 1 : 0);
    }

    /// <summary>Hears that a fault begins.</summary>
    public void OnFault(Fault fault) => observer.OnFault(FaultText.Of(fault, plan.Topology), Elapsed);

    /// <summary>Hears a report.</summary>
    public void On(Report report)
    {
        if (_isUnread && report is not StepCommitted)
        {
            ReadClock(_reportedStep);
        }

        switch (report)
        {
            case StepCommitted step:
                Committed(step.Step, step.LossSum, step.Correct, step.Rows, step.LearningRate);
                break;
            case EpochCompleted epoch:
                OnEpoch(epoch);
                break;
            case EvaluationCompleted evaluation:
                OnEvaluation(evaluation);
                break;
            case SnapshotCompleted snapshot:
                observer.OnSnapshot(snapshot.Step);
                break;
            case Recovered recovered:
                (_recoveries, _readAtStep) = (_recoveries + 1, 0);
                // A new coordinator does not know what the one before had issued beyond its records.
                long redone = Math.Max(recovered.StepsRedone, _reportedStep - recovered.Step);
                _stepsRedone += redone;
                observer.OnNotice($"recovered: going on from step {recovered.Step}, {redone} steps redone");
                break;
            case RunEnded ended:
                Ended ??= ended;
                break;
        }
    }

    /// <summary>Hears of a committed step, as from <see cref="StepCommitted"/>.</summary>
    public void Committed(long step, double lossSum, int correct, int rows, double learningRate)
    {
        _rowsTrained += rows;
        _isUnread = true;
        if (step >= _readAtStep)
        {
            ReadClock(step);
        }

        if (step <= _reportedStep)
        {
            // Redone after the loss of what was committed in memory: the same step again, with the same bits.
            return;
        }

        _reportedStep = step;
        double accuracy = targetsAreClasses ? (double)correct / rows : double.NaN;
        observer.OnStep(new StepProgress(step, plan.TotalSteps, lossSum / rows, accuracy, rows, learningRate, _clock));
    }

    /// <summary>The outcome of the run so far.</summary>
    public RunOutcome Outcome(KeptParameters parameters, IReadOnlyList<MessageCounters> counters)
    {
        RunEnded ended = Ended ?? throw new InvalidOperationException("The run has not ended.");
        TimeSpan wall = Elapsed;

        // The loss of a shard may have taken back steps that were reported.
        long steps = ended.End == RunEnd.Failed ? _reportedStep : ended.Step;
        TimeSpan training = _training ?? wall;
        return new RunOutcome
        {
            Status = ended.End switch
            {
                RunEnd.Completed => RunStatus.Completed,
                RunEnd.Stopped => RunStatus.Stopped,
                RunEnd.Diverged => RunStatus.Diverged,
                _ => RunStatus.Failed,
            },
            Reason = ended.Reason,
            Steps = steps,
            Epochs = (int)(steps / plan.StepsPerEpoch),
            FinalLoss = _finalLoss,
            TrainAccuracy = _trainAccuracy,
            TestLoss = ended.End == RunEnd.Completed ? _testLoss : null,
            TestAccuracy = ended.End == RunEnd.Completed ? _testAccuracy : null,
            Parameters = new OutcomeParameters([.. plan.Results.Select(place => place.Parameter)], parameters),
            MessagesByType = MessageCounters.Sum(counters),
            BytesSent = counters.Sum(counter => counter.Bytes),
            StepsRedone = _stepsRedone,
            Restarts = _recoveries,
            SamplesPerSecond = training > TimeSpan.Zero ? _rowsTrained / training.TotalSeconds : 0,
            Wall = wall,
        };
    }

    /// <summary>Notes when the last step was committed. Reading the clock takes as long as a fourteenth of a small network's step, so short steps share a reading.</summary>
    private void ReadClock(long step)
    {
        TimeSpan now = Elapsed, since = now - (_trainingEnd ?? TimeSpan.Zero);
        _stepsPerRead = since < ReadEvery / 2 ? Math.Min(2 * _stepsPerRead, StepsPerReadMax) : since > ReadEvery ? Math.Max(1, _stepsPerRead / 2) : _stepsPerRead;
        long epochEnd = ((step / plan.StepsPerEpoch) + 1) * plan.StepsPerEpoch;
        _readAtStep = Math.Min(step + _stepsPerRead, epochEnd);

        // Evaluations before this step are no training; one after it does not count anyway.
        (_trainingEnd, _training, _isUnread) = (now, now - _evaluating, false);
    }

    private double? Meaningful(double accuracy) => targetsAreClasses ? accuracy : null;

    private void OnEpoch(EpochCompleted epoch)
    {
        if (epoch.Epoch <= _reportedEpoch)
        {
            return;
        }

        _reportedEpoch = epoch.Epoch;
        observer.OnEpoch(new EpochProgress(
            epoch.Epoch,
            plan.Settings.Training.Epochs,
            epoch.Step,
            epoch.TrainLoss,
            targetsAreClasses ? epoch.TrainAccuracy : double.NaN,
            epoch.TestLoss,
            epoch.TestAccuracy is double accuracy ? Meaningful(accuracy) : null,
            Elapsed));
    }

    private void OnEvaluation(EvaluationCompleted evaluation)
    {
        if (evaluation.Split == DataSplit.Train)
        {
            _finalLoss = evaluation.Loss;
            _trainAccuracy = Meaningful(evaluation.Accuracy);
        }
        else
        {
            _testLoss = evaluation.Loss;
            _testAccuracy = Meaningful(evaluation.Accuracy);
            _evaluating += Elapsed - (_trainingEnd ?? Elapsed);
        }
    }
}
