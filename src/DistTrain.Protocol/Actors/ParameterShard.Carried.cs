using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <content>State that layer actors carry from step to step: kept here, version by version, like the weights.</content>
public sealed partial class ParameterShard
{
    private static readonly CarriedKind[] CarriedKinds = Enum.GetValues<CarriedKind>();

    /// <summary>Positions of the method's carried state follow the residual's.</summary>
    private int CarriedStart => Plan.CarriesResidual ? 1 : 0;

    private void OnCarry(Carry carry)
    {
        SliceState slice = StateOf(carry.Slice);
        if (Waits(slice, carry.Replica))
        {
            Keep(slice, carry.Replica, carry);
        }
        else
        {
            TakeCarry(slice, carry);
        }
    }

    private void TakeCarry(SliceState slice, Carry carry)
    {
        if (carry.Step <= slice.Newest.Step)
        {
            // Prepared before a recovery: that version has it.
            return;
        }

        Effects.Retain(carry.Buffer);
        slice.Carry(carry.Replica, CarriedStart + CarriedOf(slice).PositionOf(carry.Kind), carry.Buffer, Effects);
    }

    /// <summary>The version's carried state: what came with the contributions, and what the version before still holds of
    /// earlier steps.</summary>
    private void MoveCarried(SliceState slice, SliceVersion version, SliceVersion previous, int replica)
    {
        Effects.Release(slice.Gradients[replica]);
        slice.Gradients[replica] = BufferHandle.None;
        int start = replica * slice.Plan.CarriedCount;
        for (int position = 0; position < slice.Plan.CarriedCount; position++)
        {
            if (Plan.IsNewestCarried(slice.Plan, position))
            {
                Take(slice, version, start + position);
            }
            else
            {
                version.Carried[start + position] = previous.Carried[start + position - 1];
                Effects.Retain(version.Carried[start + position]);
            }
        }
    }

    private static void Take(SliceState slice, SliceVersion version, int position)
    {
        version.Carried[position] = slice.Carried[position];
        slice.Carried[position] = BufferHandle.None;
    }

    /// <summary>Tells a layer actor what it carried at a step.</summary>
    private void SendCarried(SliceState slice, SliceVersion version, int replica, long step)
    {
        CarriedPlan carried = CarriedOf(slice);
        for (int kind = 0; kind < CarriedKinds.Length && carried.Count > 0; kind++)
        {
            int first = (replica * slice.Plan.CarriedCount) + CarriedStart + carried.PositionOf(CarriedKinds[kind]);
            for (int age = carried.StepsOf(CarriedKinds[kind]) - 1; age >= 0; age--)
            {
                if (!version.Carried[first + age].IsNone)
                {
                    Send(
                        Plan.Topology.LayerActor(replica, slice.Plan.Stage),
                        new Carried(step - age, slice.Plan.Index, CarriedKinds[kind], version.Carried[first + age]));
                }
            }
        }
    }

    private BufferHandle ResidualOf(SliceState slice, SliceVersion version, int replica) =>
        Plan.CarriesResidual && !slice.Plan.Frozen ? version.Carried[replica * slice.Plan.CarriedCount] : BufferHandle.None;

    /// <summary>What the slice keeps for its stage besides residuals.</summary>
    private CarriedPlan CarriedOf(SliceState slice) => Plan.CarriedOf(slice.Plan);
}
