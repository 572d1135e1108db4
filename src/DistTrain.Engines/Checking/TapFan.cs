using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Checking;

/// <summary>Several taps as one; each hears everything, in the given order.</summary>
internal sealed class TapFan(IReadOnlyList<IHostTap> taps) : IHostTap
{
    public void OnStarted(ActorId actor, int incarnation)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnStarted(actor, incarnation);
        }
    }

    public void OnDied(ActorId actor)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnDied(actor);
        }
    }

    public void OnSuspected(ActorId actor)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnSuspected(actor);
        }
    }

    public void OnFault(Fault fault)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnFault(fault);
        }
    }

    public void OnDelivered(Envelope envelope)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnDelivered(envelope);
        }
    }

    public void OnJob(ActorId actor, Job job)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnJob(actor, job);
        }
    }

    public void OnKept(ActorId actor, PersistRecord record)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnKept(actor, record);
        }
    }

    public void OnReport(Report report)
    {
        foreach (IHostTap tap in taps)
        {
            tap.OnReport(report);
        }
    }
}
