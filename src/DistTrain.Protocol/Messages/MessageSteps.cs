namespace DistTrain.Protocol.Messages;

/// <summary>Which step a message is about.</summary>
public static class MessageSteps
{
    /// <summary>The step; 0 for a message that is about none.</summary>
    public static long Of(Message message) => message switch
    {
        Activation activation => activation.Step,
        Signal signal => signal.Step,
        Contribution contribution => contribution.Step,
        StepResult result => result.Step,
        Weights weights => weights.Step,
        Partials partials => partials.Step,
        Prepared prepared => prepared.Step,
        SnapshotTaken taken => taken.Step,
        BeginEpoch begin => begin.CommittedStep,
        IssueStep issue => issue.Step,
        Drain drain => drain.LastStep,
        Committed committed => committed.Step,
        Decision decision => decision.Step,
        TakeSnapshot snapshot => snapshot.Step,
        Evaluate evaluate => evaluate.Step,
        Carry carry => carry.Step,
        Carried carried => carried.Step,
        SliceCopy copy => copy.Step,
        CommittedProgress progress => progress.Step,
        Standing standing => standing.CommittedStep,
        _ => 0,
    };
}
