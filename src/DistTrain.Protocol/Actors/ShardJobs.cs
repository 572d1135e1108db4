using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Actors;

/// <summary>One job object of each kind per slice, used again from step to step.</summary>
internal sealed class ShardJobs(int slice, int replicas, bool asynchronous)
{
    public ApplyJob Apply { get; } = new(slice, asynchronous ? 1 : replicas);

    public PartialsJob Partials { get; } = new(slice, replicas);

    /// <summary>New objects: jobs of an earlier epoch may still run on the host.</summary>
    public ShardJobs Renew() => new(slice, replicas, asynchronous);
}
