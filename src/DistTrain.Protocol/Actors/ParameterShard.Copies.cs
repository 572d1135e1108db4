using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <content>
/// Copies of a shard. All get the same contributions and apply them in replica order, so they hold the same bits without a word between them; the primary alone answers
/// layer actors. A copy that begins an epoch without state gets the primary's. The first shard's copies also keep the book of the run: results of steps and the
/// coordinator's progress, from which a new coordinator goes on.
/// </content>
public sealed partial class ParameterShard
{
    /// <summary>The shard whose copies keep the book.</summary>
    public const int BookShard = 0;

    private readonly StepResult?[][] _results;
    private readonly Decision?[] _decisions;
    private CommittedProgress? _progress;

    /// <summary>Number of messages in which a slice's state travels to another copy.</summary>
    internal static int PartsOf(SlicePlan slice, int replicas) => (3 + (replicas * slice.CarriedCount) + slice.OlderVersions) / 2;

    private bool IsPrimary => View.Primary(_shard) == Self;

    private bool KeepsBook => Plan.Topology.Copies > 1 && _shard == BookShard;

    private protected override void OnInquired()
    {
        Effects.Persist(new PromiseRecord(Epoch));
        bool holds = Array.TrueForAll(_slices, slice => slice.HasVersion);
        long prepared = holds ? FinitePrepared() : -1;
        if (KeepsBook && holds && _progress is not null)
        {
            Send(ActorId.Coordinator, _progress);
            for (long step = _progress.Step + 1; step <= prepared; step++)
            {
                foreach (StepResult? result in ResultsOf(step))
                {
                    if (result?.Step == step)
                    {
                        Send(ActorId.Coordinator, result);
                    }
                }
            }
        }

        Answer(_committed, prepared);
    }

    /// <summary>A step with weights that are not finite is never committed, so neither is any after it.</summary>
    private long FinitePrepared()
    {
        long step = _committed;
        while (step < _prepared && NonFiniteLayer(step + 1) < 0)
        {
            step++;
        }

        return step;
    }

    private void OnResult(StepResult result)
    {
        ResultsOf(result.Step)[result.Replica] = result;
        Prepare();
    }

    private bool HasResults(long step)
    {
        foreach (StepResult? result in KeepsBook ? ResultsOf(step) : [])
        {
            if (result?.Step != step)
            {
                return false;
            }
        }

        return true;
    }

    private StepResult?[] ResultsOf(long step) => _results[step % _results.Length];

    /// <summary>What is known of steps that are redone counts no more; of those that are committed it does, for the progress may not have come yet.</summary>
    private void ForgetAfter(long committedStep)
    {
        foreach (StepResult?[] results in _results)
        {
            for (int replica = 0; replica < results.Length; replica++)
            {
                results[replica] = results[replica]?.Step > committedStep ? null : results[replica];
            }
        }

        _progress = _progress?.Step > committedStep ? null : _progress;
        Array.Clear(_decisions);
    }

    private Decision? DecisionOn(long step) => _decisions[step % _decisions.Length] is { } decision && decision.Step == step ? decision : null;

    /// <summary>Sends a slice's state at the step that the epoch begins with to every copy that has none.</summary>
    private void SendToCopies(SliceState slice, long step)
    {
        foreach (ActorId copy in View.Of(_shard))
        {
            if (copy == Self || View.StateOf(copy) != CopyState.Empty)
            {
                continue;
            }

            SliceVersion version = slice.Find(step) ?? slice.Newest;
            BufferHandle[] state = StateAt(slice, version, step);
            for (int part = PartsOf(slice.Plan, _replicas) - 1; part >= 0; part--)
            {
                BufferHandle first = state[2 * part], second = (2 * part) + 1 < state.Length ? state[(2 * part) + 1] : BufferHandle.None;
                if (part == 0 || !first.IsNone || !second.IsNone)
                {
                    Send(copy, new SliceCopy(step, slice.Plan.Index, part, version.Updates, first, second));
                }
            }
        }
    }

    /// <summary>A slice's state in the order of a restore job's outputs.</summary>
    private BufferHandle[] StateAt(SliceState slice, SliceVersion version, long step)
    {
        BufferHandle[] state = new BufferHandle[2 + version.Carried.Length + slice.Plan.OlderVersions];
        (state[0], state[1]) = (version.Weights, version.OptimizerState);
        version.Carried.CopyTo(state, 2);
        for (int age = 1; age <= slice.Plan.OlderVersions; age++)
        {
            state[1 + version.Carried.Length + age] = slice.Find(step - age)?.Weights ?? BufferHandle.None;
        }

        return state;
    }

    private void OnSliceCopy(SliceCopy copy)
    {
        SliceState slice = StateOf(copy.Slice);
        slice.Incoming ??= new BufferHandle[2 * PartsOf(slice.Plan, _replicas)];
        Effects.Retain(copy.First);
        Effects.Retain(copy.Second);
        (slice.Incoming[2 * copy.Part], slice.Incoming[(2 * copy.Part) + 1]) = (copy.First, copy.Second);
        if (copy.Part > 0)
        {
            return;
        }

        BufferHandle[] state = slice.Incoming;
        slice.Incoming = null;
        Array.Fill(slice.AppliedSteps, copy.Step);
        Install(slice, copy.Step, copy.Updates, state);
    }

    /// <summary>Whether a message has to wait: its replica is a step ahead of this copy, which lacks another's contribution or its own state.</summary>
    private bool Waits(SliceState slice, int replica) =>
        Plan.Topology.Copies > 1 && (!slice.HasVersion || slice.Backlog[replica].Count > 0 || slice.Arrivals.Contains(replica));

    private void Keep(SliceState slice, int replica, Message message)
    {
        Effects.Retain(MessageBuffers.First(message));
        Effects.Retain(MessageBuffers.Second(message));
        slice.Backlog[replica].Enqueue(message);
    }

    private void TakeBacklog(SliceState slice)
    {
        for (int replica = 0; replica < slice.Backlog.Length; replica++)
        {
            while (slice.HasVersion && !slice.Arrivals.Contains(replica) && slice.Backlog[replica].TryDequeue(out Message? message))
            {
                if (message is Carry carry)
                {
                    TakeCarry(slice, carry);
                }
                else
                {
                    TakeContribution(slice, (Contribution)message);
                }

                Effects.Release(MessageBuffers.First(message));
                Effects.Release(MessageBuffers.Second(message));
            }
        }
    }
}
