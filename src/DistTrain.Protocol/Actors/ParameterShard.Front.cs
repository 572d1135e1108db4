using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <content>Front contribution: hands out the coefficients and takes back the expanded weights.</content>
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
        if (_expansion.Step < 0 || _restoring > 0)
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

        OnAssembled(StateOf(Plan.ExpandedSlice), job.Inputs);
    }

    private void OnAssembled(SliceState slice, BufferHandle[] whole)
    {
        SliceVersion version = slice.NewVersion();
        (version.Step, version.Updates) = (_expansion.SharesStep, slice.Newest.Updates);
        (version.Weights, version.OptimizerState) = (whole[0], whole[1]);
        slice.DropAll(Effects);
        slice.Push(version);
        Send(ActorId.Coordinator, new Expanded(version.Step));
        _expansion.ForgetShares(Effects);
    }
}
