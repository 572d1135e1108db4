using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>What goes wrong with a disk.</summary>
public enum DiskProblem
{
    /// <summary>The write under way is cut short: part of it is there, the rest is not, and its writer is gone.</summary>
    TornWrite,

    /// <summary>There is no room for another byte.</summary>
    Full,
}

/// <summary>Something goes wrong with the disk that an actor keeps its records on.</summary>
/// <param name="Actor">Whose disk.</param>
/// <param name="Problem">What.</param>
public sealed record DiskFault(ActorId Actor, DiskProblem Problem) : Fault
{
    /// <inheritdoc/>
    public override string Name => "disk";
}
