using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <content>
/// A new coordinator where shards have copies. It takes an epoch above all that a coordinator before can have begun, has everybody refuse anything older, and goes on
/// from what they hold. Each coordinator has a range of epochs and incarnations to itself, so it need not know what the one before decided last.
/// </content>
public sealed partial class Coordinator
{
    private int IncarnationFloor => (Incarnation - 1) * Limits.IncarnationsPerCoordinator;

    private void Inquire()
    {
        int[] members = new int[Plan.Topology.Count];
        members[Self.Index] = Incarnation;
        EnterEpoch(Epoch + 1, members);
        for (int index = 1; index < members.Length; index++)
        {
            Send(new ActorId(index), Messages.Inquire.Instance);
        }
    }

    private void ConcludeIfComplete()
    {
        if (!_inquiry.IsComplete)
        {
            return;
        }

        if (_inquiry.Conclude() is CoordinatorProgress progress)
        {
            _phase = Phase.Training;
            _progress = progress;
            _issued = progress.Step;
            Effects.Persist(_membership.TakeOver(Epoch + 1, Incarnation, _inquiry, IncarnationFloor));
            return;
        }

        if (!_inquiry.HasBegun && (_snapshot is not null || _inquiry.IsFresh(_before)))
        {
            _snapshot ??= _start;
        }

        if (_snapshot is null)
        {
            Fail("every copy of a parameter server was lost, and what the coordinator before had kept was lost with it");
            return;
        }

        _phase = Phase.Training;
        _progress = _snapshot;
        _issued = _progress.Step;
        Effects.Persist(_membership.StartAll(Epoch + 1, Incarnation, _inquiry.Incarnations, IncarnationFloor));
    }

    /// <summary>
    /// Commits what may have been committed before without anybody's having heard of it. Those who did hear of it hear the same again.
    /// </summary>
    private void CommitUnheard()
    {
        foreach ((StepResult[] results, CoordinatorProgress after) in _inquiry.Unheard.Where(unheard => unheard.After.Step <= _progress.Step))
        {
            StepTally tally = new(0, results.Length, 0);
            tally.Begin(after.Step, 0);
            foreach (StepResult result in results)
            {
                tally.OnResult(result);
            }

            Effects.Persist(new CommittedRecord(after.Step, Epoch, after));
            Effects.Report(new StepCommitted(after.Step, tally.LossSum, tally.Correct, tally.Rows, Plan.LearningRate(after.Step) * after.RateFactor));
        }

        _inquiry.Unheard.Clear();
    }

    /// <summary>Tells those who keep the book what goes with the last committed step.</summary>
    private void TellProgress()
    {
        if (Plan.Topology.Copies > 1)
        {
            SendToShard(ParameterShard.BookShard, Inquiry.Message(_progress));
        }
    }
}
