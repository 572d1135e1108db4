using DistTrain.Engines;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;
using Shouldly;

namespace DistTrain.Conformance.Support;

/// <summary>Everything that trains: the sequential trainer, which is the reference, and every engine.</summary>
internal static class Trainers
{
    /// <summary>The engines under test. An engine is added by one line here.</summary>
    private static readonly IEngine[] Engines =
    [
        new ThreadsEngine(),
        new SimulatedEngine(),
    ];

    public static IReadOnlyList<string> EngineNames { get; } = [.. Engines.Select(engine => engine.Name)];

    /// <summary>Runs a request on an engine that must not refuse it.</summary>
    public static RunOutcome Run(string engine, RunRequest request, IRunObserver? observer = null, CancellationToken stop = default)
    {
        IEngine chosen = Engines.Single(candidate => candidate.Name == engine);
        chosen.Refuses(request).ShouldBeNull();
        return chosen.Run(request, observer ?? new Observed(), stop);
    }

    /// <summary>Runs a request the plain way.</summary>
    public static RunOutcome RunSequentially(RunRequest request, IRunObserver? observer = null, CancellationToken stop = default) =>
        SequentialTrainer.Run(request, observer ?? new Observed(), stop: stop);
}
