using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <content>Front contribution: hands out the first layer's coefficients and takes back its expanded weights; expands histories
/// itself.</content>
public sealed partial class ParameterShard
{
    /// <summary>Steps begin when everything is contributed, so the first stage has had its weights.</summary>
    private void SettleShares()
    {
        for (int share = 0; share < Plan.Topology.Shares && Plan.Front is not null; share++)
        {
            Settle(Plan.Topology.ShareActor(share));
        }
    }

    /// <summary>Sends what is to be expanded to the first stage, once it is restored.</summary>
    private void SendCoefficients()
    {
        if (_expansion.Step < 0 || _restoring > 0 || !IsPrimary)
        {
            return;
        }

        foreach (SliceState slice in _slices.Where(slice => Plan.CoefficientSlices.Contains(slice.Plan.Index)))
        {
            SliceVersion version = slice.Find(_expansion.Step)
                ?? throw new InvariantException("The version of a committed step is there until the next commit.");
            for (int share = 0; share < Plan.Topology.Shares; share++)
            {
                Send(
                    Plan.Topology.ShareActor(share),
                    new Coefficients(_expansion.Step, slice.Plan.Index, version.Weights, version.OptimizerState));
            }
        }
    }

    /// <summary>Has the shard's own histories expanded, once it is restored.</summary>
    private void ExpandHistories()
    {
        if (_expansion.Step < 0 || _restoring > 0)
        {
            return;
        }

        for (int history = 0; history < Plan.Histories.Count; history++)
        {
            if (Array.Find(_slices, slice => slice.Plan.Index == Plan.Histories[history].Slice) is not SliceState slice)
            {
                continue;
            }

            SliceVersion version = slice.Find(_expansion.Step)
                ?? throw new InvariantException("The version of a committed step is there until the next commit.");
            ExpandHistoryJob job = new(history);
            (job.Inputs[0], job.Inputs[1]) = (version.Weights, version.OptimizerState);
            Run(job);
        }
    }

    private void AssembleIfReady()
    {
        if (!_expansion.IsComplete || !StateOf(Plan.ExpandedSlice).HasVersion)
        {
            return;
        }

        AssembleJob job = _expansion.Assemble();
        if (Plan.Topology.Shares > 1)
        {
            Run(job);
            return;
        }

        // A single share's columns are the whole.
        foreach (BufferHandle columns in job.Inputs)
        {
            Effects.Retain(columns);
        }

        OnAssembled(job.Inputs);
    }

    private void OnAssembled(BufferHandle[] whole)
    {
        OnExpanded(Plan.ExpandedSlice, _expansion.SharesStep, whole);
        _expansion.ForgetShares(Effects);
    }

    private void OnExpanded(int index, long step, BufferHandle[] whole)
    {
        SliceState slice = StateOf(index);
        SliceVersion version = slice.NewVersion();
        (version.Step, version.Updates) = (step, slice.Newest.Updates);
        (version.Weights, version.OptimizerState) = (whole[0], whole[1]);
        slice.DropAll(Effects);
        slice.Push(version);
        Send(ActorId.Coordinator, new Expanded(step, index));
    }
}
