using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Checking;

/// <summary>What passes between a host and its machines, in the order in which it happens. Checkers know a run from this alone and never look into a machine.</summary>
internal interface IHostTap
{
    /// <summary>A machine was put in an actor's place.</summary>
    void OnStarted(ActorId actor, int incarnation)
    {
    }

    /// <summary>An actor died or is about to be replaced; whatever it held is gone.</summary>
    void OnDied(ActorId actor)
    {
    }

    /// <summary>The coordinator hears that an actor may be lost.</summary>
    void OnSuspected(ActorId actor)
    {
    }

    /// <summary>A fault began.</summary>
    void OnFault(Fault fault)
    {
    }

    /// <summary>A message is put before a machine; buffers in it are those of the receiving host.</summary>
    void OnDelivered(Envelope envelope)
    {
    }

    /// <summary>The arithmetic of a job was done; its outputs are there.</summary>
    void OnJob(ActorId actor, Job job)
    {
    }

    /// <summary>A record is kept.</summary>
    void OnKept(ActorId actor, PersistRecord record)
    {
    }

    /// <summary>A report went to the outside.</summary>
    void OnReport(Report report)
    {
    }
}
