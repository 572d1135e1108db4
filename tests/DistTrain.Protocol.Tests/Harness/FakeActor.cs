using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Tests.Harness;

/// <summary>A machine and what its host keeps for it. Visible effects wait behind earlier unfinished persists.</summary>
internal sealed class FakeActor(ActorMachine machine)
{
    public ActorMachine Machine { get; } = machine;

    public bool IsAlive { get; set; } = true;

    /// <summary>What happened while the actor was stopped; null while it goes on.</summary>
    public Queue<Action>? Stopped { get; set; }

    /// <summary>Generation per timer: a firing of an older one counts no more.</summary>
    public SortedDictionary<int, int> Timers { get; } = [];

    /// <summary>Visible effects in order; a persist in it holds back all after it.</summary>
    public Queue<Effect> Outgoing { get; } = new();

    /// <summary>When the last persist of this actor ends: they end in order.</summary>
    public long PersistsUntil { get; set; }

    public void DropOutgoing(BufferPool pool)
    {
        while (Outgoing.TryDequeue(out Effect effect))
        {
            if (effect.Envelope is Envelope envelope)
            {
                pool.Release(envelope.Message);
            }
        }
    }

    public static bool IsVisible(in Effect effect) => effect.Kind is EffectKind.Send or EffectKind.Report or EffectKind.Spawn;
}
