using DistTrain.Engines;

namespace DistTrain.Commands.Dashboards;

/// <summary>A run that is shown from within, until it is disposed of.</summary>
public interface ILiveRun : IDisposable
{
    /// <summary>The same request, which also tells the pages what the run does. Called for each start of a run from several seeds.</summary>
    /// <param name="request">What will run.</param>
    RunRequest Watch(RunRequest request);

    /// <summary>An observer that tells the pages before it tells another one.</summary>
    IRunObserver Watch(IRunObserver observer);
}
