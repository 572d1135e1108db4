using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared.Front;

/// <summary>Counts what is sent to or by layer actors that take no part, while the final-layer actor trains alone.
/// Thread-safe.</summary>
internal sealed class AloneCounter(RunPlan plan)
{
    private volatile bool _alone;
    private long _messages, _spells;

    /// <summary>What front contribution did; null for other methods.</summary>
    public FrontContributionOutcome? Outcome => plan.Front is not FrontContributionPlan front
        ? null
        : new FrontContributionOutcome(front.Form, front.Shares, front.Features, _spells, Interlocked.Read(ref _messages));

    /// <summary>Hears a report.</summary>
    public void On(Report report)
    {
        if (report is TrainsAlone alone)
        {
            _alone = alone.Alone;
            _spells += alone.Alone ? 1 : 0;
        }
    }

    /// <summary>Sees what goes on the wire, acknowledgements included.</summary>
    public void See(Envelope envelope)
    {
        if (_alone && !(plan.IsParticipant(envelope.From) && plan.IsParticipant(envelope.To)))
        {
            Interlocked.Increment(ref _messages);
        }
    }
}
