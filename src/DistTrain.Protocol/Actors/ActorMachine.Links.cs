using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Links;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <content>Envelopes: which count, what they acknowledge, and when they go again.</content>
public abstract partial class ActorMachine
{
    private static int WindowMax(RunPlan plan)
    {
        // On one link a step needs at most one message per micro-batch and slice, and a few of control; an evaluation stays
        // within its credit.
        int perStep = plan.Settings.Training.MicroBatches + plan.Slices.Count + 8;
        int copied = plan.Topology.Copies > 1 ? plan.Slices.Sum(slice => ParameterShard.PartsOf(slice, plan.Settings.Replicas)) : 0;

        // Who keeps the book tells a new coordinator every result of every step that may be uncommitted.
        int told = plan.Topology.Copies > 1 ? ((2 * plan.StepsUncommittedMax) + 2) * plan.Settings.Replicas : 0;
        return (perStep * (plan.StepsUncommittedMax + 2)) + Limits.AcknowledgedTogetherMax + EvaluationPass.CreditBatches(plan.Stages.Count) + copied + told;
    }

    private static void ReleaseOutputs(Job job, EffectList effects)
    {
        foreach (BufferHandle output in job.Outputs)
        {
            effects.Release(output);
        }
    }

    private static void DropReferences(in Stimulus stimulus, EffectList effects)
    {
        if (stimulus.Kind == StimulusKind.JobDone)
        {
            ReleaseOutputs(stimulus.Job!, effects);
        }
    }

    private void Receive(Envelope envelope)
    {
        bool isKnown = (uint)envelope.From.Index < (uint)Plan.Topology.Count;
        if (envelope.Run != _run || !IsForThis(envelope) || !isKnown || !IsOfThisEpoch(envelope))
        {
            Stale++;
            return;
        }

        Link link = LinkTo(envelope.From);
        bool progress = false;
        while (link.TryAcknowledge(envelope.Acknowledges, out Envelope? acknowledged))
        {
            ReleaseBuffers(acknowledged);
            progress = true;
        }

        if (progress && link.Waits)
        {
            // Its retries may have been rare until now.
            StartRetryTimer();
        }

        if (progress && !_isInquired)
        {
            OnAcknowledged();
        }

        if (envelope.Sequence == 0)
        {
            return;
        }

        _owing = envelope.From;
        switch (link.Arrive(envelope))
        {
            case Arrival.Duplicate:
                Duplicates++;
                break;
            case Arrival.Early:
                Effects.Retain(envelope.First);
                Effects.Retain(envelope.Second);
                link.KeepEarly(envelope);
                break;
            default:
                Deliver(envelope);
                while (!_stopped && link.TryTakeNext(out Envelope? next))
                {
                    Deliver(next);
                    ReleaseBuffers(next);
                }

                break;
        }
    }

    /// <summary>A new coordinator does not know incarnations: its inquiry is for whoever is there.</summary>
    private bool IsForThis(Envelope envelope) =>
        envelope.ToIncarnation == Incarnation || (envelope.ToIncarnation == 0 && envelope.Message is Inquire);

    private void Deliver(Envelope envelope)
    {
        if (envelope.Message is not (BeginEpoch or Inquire))
        {
            OnMessage(envelope.From, envelope.Message);
        }
    }

    /// <summary>
    /// A begin-epoch or an inquiry of a higher epoch takes effect before its link is looked at, for the link belongs to the new epoch.
    /// </summary>
    private bool IsOfThisEpoch(Envelope envelope)
    {
        bool isHigher = envelope.Epoch > Epoch && envelope.From == ActorId.Coordinator;
        if (isHigher && envelope.Message is BeginEpoch begin)
        {
            EnterEpoch(envelope.Epoch, begin.Incarnations);
            View = begin.Copies.Length == 0 ? Plan.EveryShard : new ShardView(Plan.Topology, begin.Copies);
            (_lastEpoch, _lastMembers, _lastCopies, _isInquired) = (envelope.Epoch, begin.Incarnations, begin.Copies, false);
            OnEpoch(begin.CommittedStep);
            return true;
        }

        if (isHigher && envelope.Message is Inquire)
        {
            EnterEpoch(envelope.Epoch, [envelope.FromIncarnation]);
            _isInquired = true;
            OnInquired();
            return true;
        }

        return Epoch > 0 && envelope.Epoch == Epoch && Knows(envelope.From, envelope.FromIncarnation);
    }

    /// <summary>Whether a sender is a member of this epoch. A coordinator that inquires learns the incarnations from the answers.</summary>
    private bool Knows(ActorId from, int incarnation)
    {
        if (from.Index < _incarnations.Length && _incarnations[from.Index] == 0 && Self == ActorId.Coordinator)
        {
            _incarnations[from.Index] = incarnation;
        }

        return from.Index < _incarnations.Length && _incarnations[from.Index] == incarnation;
    }

    /// <summary>What arrived in this step is acknowledged by whatever goes back, now or soon; or else on its own.</summary>
    private void Acknowledge()
    {
        if (_owing is ActorId peer && LinkTo(peer) is { OwesAcknowledgement: true } link && !_stopped)
        {
            // Whoever takes no part in steps sends nothing that could go with it, and says nothing while others train alone.
            if (link.OwesAcknowledgementNow || !Plan.IsParticipant(Self))
            {
                Effects.Send(Wrap(peer, Messages.Acknowledge.Instance, 0, link));
            }
            else if (!_acknowledgeTimerRuns)
            {
                _acknowledgeTimerRuns = true;
                Effects.StartTimer(AcknowledgeTimer, Limits.AcknowledgeWithin);
            }
        }

        _owing = null;
    }

    /// <summary>Nothing went back for a while.</summary>
    private void AcknowledgeAll()
    {
        _acknowledgeTimerRuns = false;
        foreach (int peer in _linkOrder)
        {
            if (_links[peer] is { OwesAcknowledgement: true } link)
            {
                Effects.Send(Wrap(new ActorId(peer), Messages.Acknowledge.Instance, 0, link));
            }
        }
    }

    /// <summary>Sends again what is due on links that still expect an answer soon.</summary>
    private void Retry()
    {
        _retryTimerRuns = false;
        bool anyWaits = false;
        foreach (int peer in _linkOrder)
        {
            Link link = _links[peer];
            if (!link.Waits || link.RetriesRarely)
            {
                continue;
            }

            bool resend = link.Tick();
            if (EndsPatience(link))
            {
                return;
            }

            if (resend)
            {
                Resend(link);
            }

            if (link.RetriesRarely)
            {
                StartRareRetryTimer();
            }
            else
            {
                anyWaits = true;
            }
        }

        if (anyWaits)
        {
            StartRetryTimer();
        }
    }

    /// <summary>Sends again what whoever has been silent for long should have acknowledged. With a timer of its own, so that an actor that waits for somebody who is
    /// stopped looks no more often than it sends.</summary>
    private void RetryRarely()
    {
        _rareRetryTimerRuns = false;
        foreach (int peer in _linkOrder)
        {
            Link link = _links[peer];
            if (!link.Waits || !link.RetriesRarely)
            {
                continue;
            }

            link.TickRarely();
            if (EndsPatience(link))
            {
                return;
            }

            Resend(link);
            StartRareRetryTimer();
        }
    }

    private void StartRetryTimer()
    {
        if (!_retryTimerRuns)
        {
            _retryTimerRuns = true;
            Effects.StartTimer(RetryTimer, Limits.RetryFirst);
        }
    }

    private void StartRareRetryTimer()
    {
        if (!_rareRetryTimerRuns)
        {
            _rareRetryTimerRuns = true;
            Effects.StartTimer(RareRetryTimer, Limits.RetryCap);
        }
    }

    /// <summary>Ends the run when nothing came back on a link for as long as the run's patience lasts.</summary>
    private bool EndsPatience(Link link)
    {
        if (!link.IsOutOfPatience((long)(Plan.Settings.Patience / Limits.RetryFirst)))
        {
            return false;
        }

        string tag = MessageCatalog.TagOf(link.Oldest.Message);
        Fail($"{Plan.Topology.NameOf(Self)} waited {Plan.Settings.Patience} for {Plan.Topology.NameOf(link.Peer)} to take '{tag}'");
        return true;
    }

    private void Resend(Link link)
    {
        foreach (Envelope envelope in link.Unacknowledged)
        {
            Effects.Send(envelope with { Acknowledges = link.Delivered });
        }

        link.Acknowledges();
    }

    private void ReleaseLinks()
    {
        foreach (int peer in _linkOrder)
        {
            Link link = _links[peer];
            foreach (Envelope envelope in link.Unacknowledged)
            {
                ReleaseBuffers(envelope);
            }

            foreach (Envelope envelope in link.Early)
            {
                ReleaseBuffers(envelope);
            }
        }

        _links.Clear();
        _linkOrder.Clear();
        Array.Clear(_recentLinks);
        _owing = null;
    }

    private void ReleaseBuffers(Envelope envelope)
    {
        Effects.Release(envelope.First);
        Effects.Release(envelope.Second);
    }

    private Envelope Wrap(ActorId to, Message message, long sequence, Link link)
    {
        link.Acknowledges();
        return new Envelope(_run, Epoch, Self, Incarnation, to, _incarnations[to.Index], sequence, link.Delivered, message);
    }

    private Link LinkTo(ActorId peer)
    {
        Link? recent = _recentLinks[peer.Index & (RecentLinks - 1)];
        return recent is not null && recent.Peer == peer ? recent : FindLink(peer);
    }

    private Link FindLink(ActorId peer)
    {
        if (!_links.TryGetValue(peer.Index, out Link? link))
        {
            link = new Link(peer, _windowMax);
            _links.Add(peer.Index, link);
            _linkOrder.Add(peer.Index);
        }

        _recentLinks[peer.Index & (RecentLinks - 1)] = link;
        return link;
    }
}
