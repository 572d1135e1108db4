using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Engines;

namespace DistTrain.Commands.Studies;

/// <summary>One combination of a study.</summary>
internal sealed record StudyCase
{
    /// <summary>The method's label.</summary>
    public required string Method { get; init; }

    /// <summary>Hidden layers; null for the experiment's own network.</summary>
    public required int? Depth { get; init; }

    /// <summary>The condition's name; empty where the study has none.</summary>
    public required string Condition { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The resolved experiment.</summary>
    public required Experiment Experiment { get; init; }

    /// <summary>Why this combination cannot run; null when it can.</summary>
    public string? Refusal { get; init; }

    /// <summary>What to run; null when refused.</summary>
    public RunRequest? Request { get; init; }

    /// <summary>Everything but the method and the seed, for headings.</summary>
    public string Group => string.Join(", ", new[] { Depth is int depth ? $"{depth} hidden layer{(depth == 1 ? "" : "s")}" : "", Condition }.Where(part => part.Length > 0));

    /// <summary>For progress and messages.</summary>
    public string Title => string.Join(", ", new[] { Method, Group, $"seed {Seed}" }.Where(part => part.Length > 0));
}
