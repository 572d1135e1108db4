using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>What an engine does for its actors beyond running them.</summary>
internal interface IActorHost
{
    /// <summary>Hears of jobs, messages and waits; null for nobody, or as long as nobody listens.</summary>
    TraceFeed? Trace => null;

    /// <summary>Whether jobs of an actor are watched, so that others may take their place.</summary>
    bool Watches(ActorId actor) => false;

    /// <summary>A job of such an actor begins; what this returns is disposed of at its end. Null for nobody who watches.</summary>
    IDisposable? WatchJob(ActorId actor) => null;

    /// <summary>Puts an envelope on the wire, until <see cref="SendOff"/> at the latest. Its buffers carry one reference each for this delivery; whoever drops it gives
    /// them back.</summary>
    void Deliver(Envelope envelope);

    /// <summary>Sends off what this thread has delivered since it last did: whenever a turn looks for more to do, and before a record that takes long to write.</summary>
    void SendOff()
    {
    }

    /// <summary>A message reached a place where nobody lives.</summary>
    void OnLost(Envelope envelope)
    {
    }

    /// <summary>Keeps a record and gives the references on the record's buffers back, of which it has one each.</summary>
    /// <returns>Whether it is kept already. Where it is not, <see cref="ActorCell.OnPersisted"/> is called when it is, or could not be.</returns>
    bool Persist(ActorCell cell, int life, PersistRecord record);

    /// <summary>Hears a report.</summary>
    void Report(Report report);

    /// <summary>Starts an actor with an incarnation.</summary>
    void Spawn(ActorId actor, int incarnation);
}
