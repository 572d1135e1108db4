using DistTrain.Commands.Dashboards;
using DistTrain.Engines;

namespace DistTrain.Commands;

/// <summary>
/// What a command may use of the world around it. Injected, so that tests own the streams, the clock and the folder.
/// </summary>
public sealed record CommandHost
{
    /// <summary>Standard output: results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error: problems and warnings.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>The folder that relative paths of the command line start from.</summary>
    public required string WorkingFolder { get; init; }

    /// <summary>
    /// Whether <see cref="Out"/> is a terminal that can move its cursor: progress bars there, plain lines otherwise.
    /// </summary>
    public bool Interactive { get; init; }

    /// <summary>Names run folders.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Asks a run to stop at a committed step.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Whether an unexpected error prints its stack trace.</summary>
    public bool Trace { get; init; }

    /// <summary>Draws run folders; null where the program cannot.</summary>
    public IDashboard? Dashboard { get; init; }

    /// <summary>Finds the last committed step that a journal folder can go on from.</summary>
    public Func<string, long?> LastSnapshotStep { get; init; } = Journal.LastCommittedStep;
}
