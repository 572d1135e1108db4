using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Simulated;

/// <summary>Virtual time of jobs: declared, by the rates of an idealised machine, or by the price model of a measured one.</summary>
internal sealed class JobPricing(RunPlan plan, SimulationSettings settings)
{
    private readonly CostJobs? _costs = settings.Costs is null ? new CostJobs(plan) : null;
    private readonly JobTime? _times = settings.Machine is null ? null : new JobTime(plan, settings.Machine);
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
        double rate = job is BackwardJob or GradientJob ? _backwardRate : _forwardRate;
        double seconds = Math.Max(cost.Flops / rate, cost.Bytes / settings.MemoryBytesPerSecond);
        return _overhead + VirtualTime.Nanoseconds(seconds);
    }

    /// <summary>What a job takes on the measured machine.</summary>
    public JobPrice PriceOf(Job job) => _times!.Of(job);

    /// <summary>How many times faster so many of the measured machine's threads compute a large product than one.</summary>
    public double SpeedupOf(int threads)
    {
        MachineProfile machine = settings.Machine!;
        return machine.Threads < 2 ? 1 : 1 + ((threads - 1) * (machine.ThreadSpeedup - 1) / (machine.Threads - 1));
    }

    private static TimeSpan Declared(DeclaredCosts costs, JobKind kind) => kind switch
    {
        JobKind.Forward => costs.Forward,
        JobKind.Backward => costs.Backward,

        // What is declared is the whole pass, whenever its gradients are multiplied out.
        JobKind.Gradient => TimeSpan.Zero,
        JobKind.Load => costs.Load,
        JobKind.Loss or JobKind.LocalLoss => costs.Loss,
        JobKind.Update => costs.Update,
        _ => costs.Other,
    };
}
