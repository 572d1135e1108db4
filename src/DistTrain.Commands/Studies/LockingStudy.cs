using DistTrain.Commands.Experiments;

namespace DistTrain.Commands.Studies;

/// <summary>A locking study after reading: methods × depths × conditions × seeds on one experiment.</summary>
internal sealed record LockingStudy
{
    /// <summary>Names the result folder.</summary>
    public required string Name { get; init; }

    /// <summary>The experiment's nodes; every combination changes a copy.</summary>
    public required ConfigMap Experiment { get; init; }

    /// <summary>Where the experiment's relative paths start from.</summary>
    public required string BaseFolder { get; init; }

    public required IReadOnlyList<StudyMethod> Methods { get; init; }

    /// <summary>Hidden-layer counts; a single null for the experiment's own network.</summary>
    public required IReadOnlyList<int?> Depths { get; init; }

    /// <summary>Settings of each hidden layer where depths are given.</summary>
    public ConfigMap? Hidden { get; init; }

    public required IReadOnlyList<StudyCondition> Conditions { get; init; }

    /// <summary>Seeds; a single null for the experiment's own.</summary>
    public required IReadOnlyList<ulong?> Seeds { get; init; }

    /// <summary>Whether to count time and bytes only.</summary>
    public bool TimingOnly { get; init; }

    /// <summary>The virtual time at which methods are compared; null for the shortest training.</summary>
    public TimeSpan? At { get; init; }
}

/// <summary>A method of a study.</summary>
/// <param name="Label">What results call it.</param>
/// <param name="Method">The experiment's <c>method</c>.</param>
/// <param name="Optimizer">The experiment's <c>optimizer</c>; null for its own.</param>
internal sealed record StudyMethod(string Label, ConfigEntry Method, ConfigEntry? Optimizer);

/// <summary>A condition of network and machines.</summary>
/// <param name="Name">What results call it.</param>
/// <param name="Simulation">What differs from the experiment's <c>simulation</c>.</param>
/// <param name="Stragglers">Layer actors that are slow.</param>
internal sealed record StudyCondition(string Name, IReadOnlyList<ConfigEntry> Simulation, IReadOnlyList<Straggler> Stragglers);

/// <summary>A layer actor whose jobs take longer.</summary>
/// <param name="Layer">Its stage, from 0.</param>
/// <param name="Factor">On the time of its jobs.</param>
/// <param name="After">Since the run's start.</param>
/// <param name="For">How long; null to the end.</param>
internal sealed record Straggler(int Layer, double Factor, TimeSpan After, TimeSpan? For);
