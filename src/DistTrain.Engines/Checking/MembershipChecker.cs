using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Checking;

/// <summary>Incarnations are recorded before anyone is started with them and never used twice; epochs only grow.</summary>
internal sealed class MembershipChecker(Findings findings) : IHostTap
{
    private const string Membership = "membership";
    private readonly Dictionary<ActorId, int> _started = [];
    private readonly Dictionary<int, int> _begunBy = [];
    private MembershipRecord? _kept;

    public void OnStarted(ActorId actor, int incarnation)
    {
        int before = _started.GetValueOrDefault(actor);
        findings.Require(incarnation > before, Membership, () => $"actor {actor.Index} was started with incarnation {incarnation} after {before}");
        _started[actor] = incarnation;
        if (actor != ActorId.Coordinator)
        {
            int recorded = _kept?.Incarnations[actor.Index] ?? 0;
            findings.Require(
                recorded >= incarnation, Membership, () => $"actor {actor.Index} was started with incarnation {incarnation}, and {recorded} was recorded");
        }
    }

    public void OnKept(ActorId actor, PersistRecord record)
    {
        if (record is MembershipRecord membership)
        {
            findings.Require(
                _kept is null || membership.Epoch >= _kept.Epoch, Membership, () => $"epoch {membership.Epoch} was recorded after {_kept!.Epoch}");
            _kept = membership;
        }
    }

    public void OnDelivered(Envelope envelope)
    {
        if (envelope.Message is BeginEpoch)
        {
            (int epoch, int coordinator) = (envelope.Epoch, envelope.FromIncarnation);
            if (!_begunBy.TryAdd(epoch, coordinator))
            {
                findings.Require(
                    _begunBy[epoch] == coordinator, Membership, () => $"epoch {epoch} was begun by coordinators {_begunBy[epoch]} and {coordinator}");
            }
        }
    }
}
