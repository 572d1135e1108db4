using System.Runtime.InteropServices;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Effects;

/// <summary>
/// The effects of one step of a machine, in order. The host owns the list, clears it, hands it to the machine and then
/// carries the effects
/// out. Ordering contract: every externally visible effect (send, report, spawn) of this or a later list waits for the
/// actor's earlier unfinished persists;
/// jobs, timers and references do not.
/// </summary>
public sealed class EffectList
{
    private readonly List<Effect> _effects = [];

    /// <summary>Number of effects.</summary>
    public int Count => _effects.Count;

    /// <summary>The effect at a position; valid until the list changes.</summary>
    public ref readonly Effect this[int index] => ref CollectionsMarshal.AsSpan(_effects)[index];

    /// <summary>Forgets all.</summary>
    public void Clear() => _effects.Clear();

    /// <summary>Hands an envelope to the wire.</summary>
    public void Send(in Envelope envelope) => _effects.Add(new Effect(EffectKind.Send) { Envelope = envelope });

    /// <summary>Runs a job.</summary>
    public void RunJob(Job job) => _effects.Add(new Effect(EffectKind.RunJob) { Job = job });

    /// <summary>Starts or restarts a timer.</summary>
    public void StartTimer(int timer, TimeSpan delay) => _effects.Add(new Effect(EffectKind.StartTimer) { Timer = timer, Delay = delay });

    /// <summary>Cancels a timer.</summary>
    public void CancelTimer(int timer) => _effects.Add(new Effect(EffectKind.CancelTimer) { Timer = timer });

    /// <summary>Persists a record.</summary>
    public void Persist(PersistRecord record) => _effects.Add(new Effect(EffectKind.Persist) { Record = record });

    /// <summary>Reports to the outside.</summary>
    public void Report(Report report) => _effects.Add(new Effect(EffectKind.Report) { Report = report });

    /// <summary>Takes a reference; nothing for no buffer.</summary>
    public void Retain(BufferHandle buffer)
    {
        if (!buffer.IsNone)
        {
            _effects.Add(new Effect(EffectKind.Retain) { Buffer = buffer });
        }
    }

    /// <summary>Gives a reference back; nothing for no buffer.</summary>
    public void Release(BufferHandle buffer)
    {
        if (!buffer.IsNone)
        {
            _effects.Add(new Effect(EffectKind.Release) { Buffer = buffer });
        }
    }

    /// <summary>Starts an actor.</summary>
    public void Spawn(ActorId actor, int incarnation) =>
        _effects.Add(new Effect(EffectKind.Spawn) { Actor = actor, Incarnation = incarnation });
}
