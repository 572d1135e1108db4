using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <content>Front contribution: when the final-layer actor trains alone, and when it no longer does.</content>
public sealed partial class Coordinator
{
    /// <summary>Goes on once everything is contributed and no other layer actor owes an acknowledgement: from then on there
    /// is not even one of those.</summary>
    private void TrainAloneIfReady()
    {
        if (_phase != Phase.Contributing || !_contributed)
        {
            return;
        }

        for (int index = 1; index <= Plan.Topology.LayerActors; index++)
        {
            if (!Plan.IsParticipant(new ActorId(index)) && IsOwedBy(new ActorId(index)))
            {
                return;
            }
        }

        _phase = _afterContributing;
        SetAlone(true);
        Resume();
    }

    private void SetAlone(bool alone)
    {
        if (alone != _alone)
        {
            _alone = alone;
            Effects.Report(new TrainsAlone(alone));
        }
    }

    private void BeginExpanding()
    {
        SetAlone(false);
        _layersExpanded = 0;
        if (_membership.HasLost)
        {
            Effects.Persist(_membership.ReplaceLost(Epoch + 1));
        }
        else
        {
            ForEachShard(new Expand(_progress.Step));
        }
    }

    private void EndIfExpanded()
    {
        // Every copy of a shard forms the weights of its slices itself.
        int expected = View.Of(Plan.Slices[Plan.ExpandedSlice].Shard).Length
            + Plan.Histories.Sum(history => View.Of(Plan.Slices[history.ExpandedSlice].Shard).Length);
        if (_layersExpanded < expected)
        {
            return;
        }

        // A snapshot of this step may exist or be under way: it does not hold the expanded weights.
        _keptStep = -1;
        _keepsAgain = _snapshotPending is not null;
        _phase = Phase.Ending;
        Advance();
    }
}
