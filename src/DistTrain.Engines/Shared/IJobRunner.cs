using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>Does the arithmetic and data access of jobs, in one precision. Thread-safe: any thread may run any job.</summary>
internal interface IJobRunner
{
    /// <summary>Runs a job: reads its inputs, fills its outputs and results.</summary>
    void Run(Job job, ComputeScratch scratch, IForkJoin fork);

    /// <summary>The parameters of a complete snapshot or of step 0, in layer order.</summary>
    KeptParameters ReadParameters(long step);
}
