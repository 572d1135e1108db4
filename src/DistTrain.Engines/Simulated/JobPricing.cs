using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Simulated;

/// <summary>Virtual time of jobs.</summary>
internal sealed class JobPricing(RunPlan plan, SimulationSettings settings)
{
    private readonly CostJobs? _costs = settings.Costs is null ? new CostJobs(plan) : null;
    private readonly long _overhead = VirtualTime.Nanoseconds(settings.JobOverhead);
    private readonly double _forwardRate = settings.FlopsPerSecond, _backwardRate = settings.BackwardFlopsPerSecond ?? settings.FlopsPerSecond;

    /// <summary>Nanoseconds that a job takes on a slot of its own.</summary>
    public long NanosecondsOf(Job job)
    {
        if (settings.Costs is DeclaredCosts declared)
        {
            return VirtualTime.Nanoseconds(Declared(declared, JobKinds.Of(job)));
        }

        CostJob cost = _costs!.Of(job);
        double rate = job is BackwardJob ? _backwardRate : _forwardRate;
        double seconds = Math.Max(cost.Flops / rate, cost.Bytes / settings.MemoryBytesPerSecond);
        return _overhead + VirtualTime.Nanoseconds(seconds);
    }

    private static TimeSpan Declared(DeclaredCosts costs, JobKind kind) => kind switch
    {
        JobKind.Forward => costs.Forward,
        JobKind.Backward => costs.Backward,
        JobKind.Load => costs.Load,
        JobKind.Loss or JobKind.LocalLoss => costs.Loss,
        JobKind.Update => costs.Update,
        _ => costs.Other,
    };
}
