using DistTrain.Engines.Shared;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Simulated;

/// <content>Records that are kept.</content>
internal sealed partial class SimulatedRun
{
    private void OnPersisted(SimulatedActor actor, PersistRecord record)
    {
        string? problem = null;
        WritesFor(actor.Id);
        try
        {
            _storage?.Write(record);
            _storage?.Sync();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problem = exception.Message;
        }

        WritesFor(null);
        ReleaseRecord(record);
        _journal?.Write(_time.Now, _names[actor.Id.Index], problem is null ? "persisted" : "not-persisted", NameOf(record));
        actor.OnPersisted();
        if (problem is not null)
        {
            // What waited for the record must never be seen; the machine's last word must.
            DropHeld(actor);
            Step(actor, Stimulus.Kept(record, problem));
            return;
        }

        _seams.Tap?.OnKept(actor.Id, record);
        Keep(record);
        while (actor.TryRelease(out Effect effect))
        {
            Publish(actor, effect);
        }

        Step(actor, Stimulus.Kept(record));
    }

    private void ReleaseRecord(PersistRecord record)
    {
        if (_pool is not null)
        {
            RunStorage.Release(record, _pool);
        }
    }

    private static string NameOf(PersistRecord record) => record switch
    {
        PreparedRecord prepared => FormattableString.Invariant($"prepared step={prepared.Step}"),
        CommittedRecord committed => FormattableString.Invariant($"committed step={committed.Step}"),
        MembershipRecord membership => FormattableString.Invariant($"membership epoch={membership.Epoch}"),
        SnapshotRecord snapshot => FormattableString.Invariant($"snapshot step={snapshot.Progress.Step}"),
        _ => record.GetType().Name,
    };
}
