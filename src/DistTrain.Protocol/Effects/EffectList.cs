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
    private Effect[] _effects = new Effect[16];

    /// <summary>Number of effects.</summary>
    public int Count { get; private set; }

    /// <summary>The effect at a position; valid until the list changes.</summary>
    public ref readonly Effect this[int index] => ref _effects.AsSpan(0, Count)[index];

    /// <summary>Forgets all. What they referred to stays in memory until other effects take their places.</summary>
    public void Clear() => Count = 0;

    /// <summary>Hands an envelope to the wire.</summary>
    public void Send(Envelope envelope) => Add().Become(EffectKind.Send, envelope);

    /// <summary>Runs a job.</summary>
    public void RunJob(Job job) => Add().Become(EffectKind.RunJob, job);

    /// <summary>Starts or restarts a timer.</summary>
    public void StartTimer(int timer, TimeSpan delay) => Add().Become(EffectKind.StartTimer, timer, delay.Ticks);

    /// <summary>Cancels a timer.</summary>
    public void CancelTimer(int timer) => Add().Become(EffectKind.CancelTimer, timer, 0);

    /// <summary>Persists a record.</summary>
    public void Persist(PersistRecord record) => Add().Become(EffectKind.Persist, record);

    /// <summary>Reports to the outside.</summary>
    public void Report(Report report) => Add().Become(EffectKind.Report, report);

    /// <summary>Takes a reference; nothing for no buffer.</summary>
    public void Retain(BufferHandle buffer)
    {
        if (!buffer.IsNone)
        {
            Add().Become(EffectKind.Retain, buffer);
        }
    }

    /// <summary>Gives a reference back; nothing for no buffer.</summary>
    public void Release(BufferHandle buffer)
    {
        if (!buffer.IsNone)
        {
            Add().Become(EffectKind.Release, buffer);
        }
    }

    /// <summary>Starts an actor.</summary>
    public void Spawn(ActorId actor, int incarnation) =>
        Add().Become(EffectKind.Spawn, actor.Index, incarnation);

    /// <summary>The next place, to be filled where it is: effects are too large to copy.</summary>
    private ref Effect Add()
    {
        if (Count == _effects.Length)
        {
            Grow();
        }

        return ref _effects[Count++];
    }

    private void Grow() => Array.Resize(ref _effects, 2 * Count);
}
