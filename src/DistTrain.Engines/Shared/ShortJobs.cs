using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Tells the jobs that an actor's own turn runs: those that take less time than another thread would need to notice them. Handing a job over and
/// having its result back costs a microsecond or two, and 15 to 60 where the other thread sleeps.
/// </summary>
internal sealed class ShortJobs(RunPlan plan)
{
    // Each is about three microseconds of one core with AVX-512, a few more without.
    private const double FlopsMax = 600_000;
    private const double BytesMax = 200_000;

    private readonly CostJobs _costs = new(plan);

    /// <summary>Whether a job is short. Jobs that touch files never are.</summary>
    public bool Contains(Job job)
    {
        if (job is not (StageJob or ApplyJob or PartialsJob or DecideJob))
        {
            return false;
        }

        CostJob cost = _costs.Of(job);
        return cost.Flops <= FlopsMax && cost.Bytes <= BytesMax;
    }
}
