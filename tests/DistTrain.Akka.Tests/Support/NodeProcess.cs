using System.Diagnostics;

namespace DistTrain.Akka.Tests.Support;

/// <summary>A node as a process of its own.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<(long At, string Text)> _lines = [];

    private NodeProcess(Process process) => _process = process;

    /// <summary>What it has said so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines.Select(line => line.Text)];
            }
        }
    }

    /// <summary>How long after a moment it first said something that holds a text; null when it did not.</summary>
    public TimeSpan? Said(string text, long after)
    {
        lock (_lock)
        {
            (long At, string Text)[] found = [.. _lines.Where(line => line.At > after && line.Text.Contains(text, StringComparison.Ordinal)).Take(1)];
            return found.Length == 0 ? null : Stopwatch.GetElapsedTime(after, found[0].At);
        }
    }

    /// <summary>Whether it lives.</summary>
    public bool Lives => !_process.HasExited;

    /// <summary>Its exit code, once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Starts the cluster program.</summary>
    /// <param name="folder">Its working folder.</param>
    /// <param name="secret">The secret; null for none.</param>
    /// <param name="wrapper">A command before it, such as that of another network namespace.</param>
    /// <param name="arguments">Its arguments.</param>
    public static NodeProcess Start(string folder, string? secret, IReadOnlyList<string> wrapper, params IReadOnlyList<string> arguments)
    {
        string[] command = [.. wrapper, "dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "disttrain-cluster.dll"), .. arguments];
        ProcessStartInfo start = new(command[0])
        {
            WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false,
        };
        foreach (string argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["DISTTRAIN_SECRET"] = secret ?? "";
        start.Environment["DOTNET_TieredPGO"] = "0";
        NodeProcess node = new(new Process { StartInfo = start });
        node._process.OutputDataReceived += (_, line) => node.Add(line.Data);
        node._process.ErrorDataReceived += (_, line) => node.Add(line.Data);
        node._process.Start();
        node._process.BeginOutputReadLine();
        node._process.BeginErrorReadLine();
        return node;
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    /// <summary>Sends a signal by its name: STOP, CONT, TERM.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end; false when it does not come.</summary>
    public bool WaitForExit(TimeSpan limit)
    {
        if (!_process.WaitForExit(limit))
        {
            return false;
        }

        // The streams are read to their ends too.
        _process.WaitForExit();
        return true;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            // A stopped process takes the signal all the same.
            Kill();
        }

        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is not null)
        {
            lock (_lock)
            {
                _lines.Add((Stopwatch.GetTimestamp(), line));
            }
        }
    }
}
