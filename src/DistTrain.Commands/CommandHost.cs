using DistTrain.Commands.Dashboards;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using Spectre.Console;

namespace DistTrain.Commands;

/// <summary>
/// What a command may use of the world around it. Injected, so that tests own the streams, the clock and the folder.
/// </summary>
public sealed record CommandHost
{
    private readonly LossyWriter _out = null!, _error = null!;

    /// <summary>Standard output: results. Where it cannot be written, the command goes on and <see cref="OutProblem"/> says why.</summary>
    public required TextWriter Out
    {
        get => _out;
        init => _out = LossyWriter.On(value, triesAgain: false);
    }

    /// <summary>Standard error: problems and warnings. Where it cannot be written, they are lost.</summary>
    public required TextWriter Error
    {
        get => _error;
        init => _error = LossyWriter.On(value, triesAgain: true);
    }

    /// <summary>Why part of the results could not be written; null where they could.</summary>
    internal string? OutProblem => _out.Problem;

    /// <summary><see cref="Out"/> as a terminal.</summary>
    internal IAnsiConsoleOutput OutTerminal => new LossyTerminal(_out);

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
