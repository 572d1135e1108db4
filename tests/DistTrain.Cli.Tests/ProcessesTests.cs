using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace DistTrain.Cli.Tests;

/// <summary>The processes engine as a user starts it, and as it is killed.</summary>
public sealed class ProcessesTests : IDisposable
{
    // Several processes start and end on a machine that may have much else to do; every wait ends as soon as it can.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Disttrain _disttrain = new();

    public void Dispose() => _disttrain.Dispose();

    [Fact]
    public void ARunInProcessesHasTheBitsOfOneOnThreads()
    {
        (int code, string threads, string error) = _disttrain.Run("train", "blobs", "--json", "--out", "threads");
        code.ShouldBe(0, error);
        (code, string processes, error) = _disttrain.Run("train", "blobs", "--engine", "processes", "--workers", "2", "--json", "--out", "processes");
        code.ShouldBe(0, error);
        using JsonDocument one = JsonDocument.Parse(threads), other = JsonDocument.Parse(processes);
        foreach (string key in (string[])["weights_sha256", "final_loss", "test_accuracy", "steps"])
        {
            other.RootElement.GetProperty(key).ToString().ShouldBe(one.RootElement.GetProperty(key).ToString(), key);
        }

        other.RootElement.GetProperty("engine").GetString().ShouldBe("processes");
        File.ReadAllText(Path.Combine(_disttrain.Folder, "processes", "experiment.yaml")).ShouldContain("workers: 2");
    }

    [SkippableFact]
    public void ATemporaryFolderThatIsNoneIsNamedBeforeThereIsARunFolder()
    {
        Skip.If(OperatingSystem.IsWindows(), "TMPDIR names the temporary folder elsewhere.");
        const string Problem = "processes needs a temporary directory for its sockets, and /nonexistent/ is no folder; expected TMPDIR to name a folder that can be written, such as /tmp";
        (int code, _, string error) = _disttrain.Shell("train xor --engine processes --out run", "TMPDIR=/nonexistent");
        code.ShouldBe(2, error);
        error.ShouldContain(Problem);
        Directory.Exists(Path.Combine(_disttrain.Folder, "run")).ShouldBeFalse();

        (code, string output, error) = _disttrain.Shell("doctor", "TMPDIR=/nonexistent");
        code.ShouldBe(1, error);
        output.ShouldContain("PROBLEM  processes");
        output.ShouldContain(Problem);
    }

    [Fact]
    public void WhatHostsActorsIsNotStartedByHand()
    {
        using Process process = _disttrain.Start(redirectInput: true, "host-actors");
        process.StandardInput.Close();
        (int code, _, string error) = Disttrain.Finish(process);
        code.ShouldBe(2);
        error.ShouldContain("disttrain train --engine processes");
        _disttrain.Run("--help").Out.ShouldNotContain("host-actors");
    }

    /// <summary>Not even one that is stopped, and so does not see that the parent is gone.</summary>
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhenTheParentIsKilledNoChildIsLeft(bool stopped)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Looks at /proc.");
        using Process parent = StartLongRun("killed");
        int[] children = ChildrenOf(parent.Id);
        children.Length.ShouldBe(4);
        if (stopped)
        {
            using Process stop = Process.Start("kill", ["-STOP", .. children.Select(id => id.ToString(CultureInfo.InvariantCulture))]);
            stop.WaitForExit();
        }

        parent.Kill();
        parent.WaitForExit();
        long killed = Stopwatch.GetTimestamp();
        while (children.Any(IsAlive) && Stopwatch.GetElapsedTime(killed) < Patience)
        {
            Task.Delay(5).Wait();
        }

        children.Where(IsAlive).ShouldBeEmpty();
    }

    [SkippableFact]
    public void AnInterruptOfTheWholeGroupStopsAtACommittedStep()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Looks at /proc.");
        Skip.If(IgnoresInterrupts(), "Whoever started these tests in the background has interrupts ignored, by every process that they start.");
        using Process parent = StartLongRun("stopped");
        int[] children = ChildrenOf(parent.Id);

        // As a terminal does: the signal reaches the children too, who leave it to the parent.
        using (Process kill = Process.Start("kill", ["-INT", .. children.Append(parent.Id).Select(id => id.ToString(CultureInfo.InvariantCulture))]))
        {
            kill.WaitForExit();
        }

        (int code, string output, string error) = Disttrain.Finish(parent);
        code.ShouldBe(0, error);
        using JsonDocument summary = JsonDocument.Parse(output);
        summary.RootElement.GetProperty("status").GetString().ShouldBe("stopped");
        summary.RootElement.GetProperty("restarts").GetInt32().ShouldBe(0);
        children.Where(IsAlive).ShouldBeEmpty();
    }

    /// <summary>A run that does not end by itself in the time of a test, some steps into it.</summary>
    private Process StartLongRun(string folder)
    {
        Process process = _disttrain.Start(
            "train", "blobs", "--engine", "processes", "--workers", "2", "--json", "--out", folder,
            "--set", "training.epochs=100000", "--set", "training.evaluate-every=100000");
        string metrics = Path.Combine(_disttrain.Folder, folder, "metrics.jsonl");
        long started = Stopwatch.GetTimestamp();
        while (!process.HasExited && !(File.Exists(metrics) && new FileInfo(metrics).Length > 0))
        {
            process.WaitForExit(TimeSpan.FromMilliseconds(5));
            Stopwatch.GetElapsedTime(started).ShouldBeLessThan(Patience, "The run has no step.");
        }

        return process;
    }

    private static int[] ChildrenOf(int process) =>
        [.. File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture))];

    /// <summary>Whether this process, and with it every one that it starts, ignores SIGINT, as the jobs of a shell without job control do.</summary>
    private static bool IgnoresInterrupts()
    {
        const string Field = "SigIgn:";
        const long Interrupt = 1 << 1;
        string mask = File.ReadLines("/proc/self/status").First(line => line.StartsWith(Field, StringComparison.Ordinal))[Field.Length..];
        return (long.Parse(mask.Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & Interrupt) != 0;
    }

    /// <summary>A process that was killed and not reaped yet (state Z) is not alive.</summary>
    private static bool IsAlive(int process)
    {
        try
        {
            string state = File.ReadAllText($"/proc/{process}/stat");
            return state[state.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }
}
