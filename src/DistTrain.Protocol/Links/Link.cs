using System.Diagnostics.CodeAnalysis;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Links;

/// <summary>
/// One end of the channel between two actors within one epoch. What lies below may lose, double, delay and reorder; above it
/// every message arrives
/// once and in order, as long as both ends live. Pure bookkeeping: the machine does the sending.
/// </summary>
internal sealed class Link(ActorId peer, int windowMax)
{
    private static readonly int RareTicks = (int)(Limits.RetryCap / Limits.RetryFirst);

    private readonly SortedList<long, Envelope> _early = [];
    private readonly Queue<Envelope> _unacknowledged = new();
    private long _sent, _delivered;
    private int _ticksUntilRetry, _backoffTicks, _ticksWithoutProgress;
    private int _owed, _owedTensors;
    private bool _owesNow, _hasTickedRarely;

    /// <summary>Who is at the other end.</summary>
    public ActorId Peer => peer;

    /// <summary>Every message up to here arrived.</summary>
    public long Delivered => _delivered;

    /// <summary>Whether the other end has not been told of everything that arrived.</summary>
    public bool OwesAcknowledgement => _owed > 0;

    /// <summary>Whether it has to be told now, rather than with the next message that goes there.</summary>
    public bool OwesAcknowledgementNow =>
        _owesNow || _owed >= Limits.AcknowledgedTogetherMax || _owedTensors >= Limits.TensorsAcknowledgedTogetherMax;

    /// <summary>
    /// Whether half of the window is free. A sender to whom nothing else gives credit sends only then; the other half is for
    /// what follows from it.
    /// </summary>
    public bool HasRoom => _unacknowledged.Count <= windowMax / 2;

    /// <summary>Whether something is unacknowledged.</summary>
    public bool Waits => _unacknowledged.Count > 0;

    /// <summary>Whether retries are as rare as they get, and come with a timer of their own.</summary>
    public bool RetriesRarely => _backoffTicks == RareTicks;

    /// <summary>The oldest unacknowledged message, for telling who waits for what.</summary>
    public Envelope Oldest => _unacknowledged.Peek();

    /// <summary>Unacknowledged messages, oldest first.</summary>
    public Queue<Envelope> Unacknowledged => _unacknowledged;

    /// <summary>Messages that arrived ahead of a missing one.</summary>
    public IEnumerable<Envelope> Early => _early.Values;

    /// <summary>Sequence of the next message to send.</summary>
    public long NextSequence() => ++_sent;

    /// <summary>Keeps a message until it is acknowledged. A full window is a broken credit rule.</summary>
    public void Sent(Envelope envelope)
    {
        InvariantException.Require(
            _unacknowledged.Count < windowMax, "Credit keeps the number of unacknowledged messages on a link within its window.");
        if (_unacknowledged.Count == 0)
        {
            ResetPatience();
        }

        _unacknowledged.Enqueue(envelope);
    }

    /// <summary>Takes the next acknowledged message off; false when the oldest is not acknowledged yet.</summary>
    public bool TryAcknowledge(long acknowledged, [NotNullWhen(true)] out Envelope? envelope)
    {
        if (_unacknowledged.TryPeek(out envelope) && envelope.Sequence <= acknowledged)
        {
            _unacknowledged.Dequeue();
            ResetPatience();
            return true;
        }

        return false;
    }

    /// <summary>What an arriving sequence number means.</summary>
    /// <param name="envelope">What arrived, with a sequence number from 1.</param>
    public Arrival Arrive(Envelope envelope)
    {
        long sequence = envelope.Sequence;
        _owed++;
        _owedTensors += envelope.First.IsNone ? 0 : 1;
        _owesNow |= !envelope.Message.MayBeAcknowledgedLate;
        // First, because it is nearly all that ever arrives; the next one is never among the early, which are taken as soon as they are next.
        if (sequence == _delivered + 1)
        {
            _delivered = sequence;
            return Arrival.Next;
        }

        if (sequence <= _delivered || _early.ContainsKey(sequence))
        {
            // The other end lacks the acknowledgement, and has waited for it already.
            _owesNow = true;
            return Arrival.Duplicate;
        }

        InvariantException.Require(sequence <= _delivered + windowMax, "The other end keeps to the same window.");
        return Arrival.Early;
    }

    /// <summary>The other end is being told of everything that arrived.</summary>
    public void Acknowledges() => (_owed, _owedTensors, _owesNow) = (0, 0, false);

    /// <summary>Keeps an early message until those before it arrive.</summary>
    public void KeepEarly(Envelope envelope) => _early.Add(envelope.Sequence, envelope);

    /// <summary>The kept message that is next now, if any.</summary>
    public bool TryTakeNext([NotNullWhen(true)] out Envelope? envelope)
    {
        if (_early.Count > 0 && _early.GetKeyAtIndex(0) == _delivered + 1)
        {
            envelope = _early.GetValueAtIndex(0);
            _early.RemoveAt(0);
            _delivered++;
            return true;
        }

        envelope = null;
        return false;
    }

    /// <summary>The timer of frequent retries fired: <see cref="Limits.RetryFirst"/> passed.</summary>
    /// <returns>Whether to send everything unacknowledged again.</returns>
    public bool Tick()
    {
        InvariantException.Require(!RetriesRarely, "A link whose retries are rare is not the frequent timer's.");
        _ticksWithoutProgress++;
        if (--_ticksUntilRetry > 0)
        {
            return false;
        }

        _backoffTicks = Math.Min(_backoffTicks * 2, RareTicks);
        _ticksUntilRetry = _backoffTicks;
        return true;
    }

    /// <summary>The timer of rare retries fired: everything unacknowledged is sent again.</summary>
    public void TickRarely()
    {
        InvariantException.Require(RetriesRarely, "A link whose retries are frequent is not the rare timer's.");

        // The timer may have run for another link before: what passed of its first interval here is not known, and patience must not end early.
        _ticksWithoutProgress += _hasTickedRarely ? RareTicks : 0;
        _hasTickedRarely = true;
    }

    /// <summary>Whether nothing was acknowledged for so many intervals.</summary>
    public bool IsOutOfPatience(long ticksMax) => _ticksWithoutProgress > ticksMax;

    private void ResetPatience()
    {
        // The timer runs all the time, so the first interval may have begun long before the message was sent.
        _backoffTicks = 1;
        _ticksUntilRetry = 2;
        _ticksWithoutProgress = 0;
        _hasTickedRarely = false;
    }
}

/// <summary>What an arriving message is to its link.</summary>
internal enum Arrival
{
    /// <summary>The next in order: to be handled now.</summary>
    Next,

    /// <summary>Ahead of a missing one: to be kept.</summary>
    Early,

    /// <summary>Seen before: to be dropped.</summary>
    Duplicate,
}
