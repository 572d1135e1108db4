using DistTrain.Engines.Faults;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Processes;

/// <summary>Looks into a run in processes, from any thread, and hands faults to the thread that supervises them.</summary>
/// <param name="topology">The actors.</param>
/// <param name="actors">Tells how they are.</param>
/// <param name="begin">Takes a fault.</param>
internal sealed class ProcessesControl(Topology topology, Func<IReadOnlyList<ActorStatus>> actors, Action<Fault> begin) : IRunControl
{
    private volatile bool _isOver;

    /// <inheritdoc/>
    public IReadOnlyList<ActorStatus> Actors() => actors();

    /// <inheritdoc/>
    public IReadOnlyList<LinkStatus> Links() => [];

    /// <inheritdoc/>
    public string? Refuses(Fault fault) => FaultChecks.Problem(fault, topology, ProcessesRun.Refuses);

    /// <inheritdoc/>
    public string? Begin(Fault fault)
    {
        if (Refuses(fault) is string refusal)
        {
            return refusal;
        }

        if (_isOver)
        {
            return "the run has ended";
        }

        begin(fault);
        return null;
    }

    /// <summary>The run has ended.</summary>
    public void End() => _isOver = true;
}
