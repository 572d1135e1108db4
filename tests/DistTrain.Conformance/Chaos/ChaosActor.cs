using DistTrain.Protocol;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Conformance.Chaos;

/// <summary>One life of an actor on the chaos engine. What was asked for in a life that is over is dropped.</summary>
internal sealed class ChaosActor(ActorMachine machine)
{
    private readonly Queue<object> _outbox = new();
    private readonly Dictionary<int, int> _timers = [];

    public ActorMachine Machine { get; } = machine;

    public bool IsDead { get; set; }

    /// <summary>Queues an effect that others can see behind the persists that are unfinished.</summary>
    public void Hold(in Effect effect) => _outbox.Enqueue(effect);

    /// <summary>Queues a persist: what follows waits for it.</summary>
    public void Hold(PersistRecord record) => _outbox.Enqueue(record);

    /// <summary>When the last persist of this life ends: a journal keeps one record after the other.</summary>
    public double PersistsEnd { get; set; }

    /// <summary>The record at the head is kept: what is behind it may go, up to the next record.</summary>
    public void OnPersisted(PersistRecord record)
    {
        object head = _outbox.Dequeue();
        InvariantException.Require(ReferenceEquals(head, record), "Persists of one actor end in order.");
    }

    /// <summary>The next effect that no persist holds back.</summary>
    public bool TryPublish(out Effect effect)
    {
        if (_outbox.TryPeek(out object? item) && item is Effect next)
        {
            _outbox.Dequeue();
            effect = next;
            return true;
        }

        effect = default;
        return false;
    }

    /// <summary>Effects that will never be seen, for the life is over.</summary>
    public IEnumerable<Effect> TakeUnpublished()
    {
        Effect[] effects = [.. _outbox.OfType<Effect>()];
        _outbox.Clear();
        return effects;
    }

    /// <summary>A new setting of a timer; the ones before do not fire.</summary>
    public int SetTimer(int timer) => _timers[timer] = _timers.GetValueOrDefault(timer) + 1;

    public bool IsCurrent(int timer, int setting) => _timers.GetValueOrDefault(timer) == setting;
}
