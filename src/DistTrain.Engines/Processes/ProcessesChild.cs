using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using DistTrain.Numerics;

namespace DistTrain.Engines.Processes;

/// <summary>The program of a process that hosts actors for the processes engine.</summary>
public static class ProcessesChild
{
    /// <summary>The argument that makes a program run this; no verb for people.</summary>
    public const string Verb = "host-actors";

    /// <summary>Hosts actors until the parent says that the run is over, or ends itself.</summary>
    /// <param name="input">Commands of the parent; its end is the parent's.</param>
    /// <param name="output">Receives notes to the parent.</param>
    /// <param name="error">Receives what is for people.</param>
    /// <param name="read">Reads the text of a resolved experiment.</param>
    /// <returns>0 at the end of a run, 2 when nobody but a user started it, 3 when it could not go on.</returns>
    public static int Run(Stream input, Stream output, TextWriter error, Func<string, ChildExperiment> read)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        ArgumentNullException.ThrowIfNull(read);
        ProcessSignals.ContinueAtEndOfParent();
        StreamReader lines = new(input);
        if (ReadJob(lines) is not ChildJob job)
        {
            error.WriteLine($"{Verb}: this is a part of `disttrain train --engine processes`, which starts it itself; use that command");
            return 2;
        }

        // A Ctrl-C on the terminal reaches every process of the run; the parent alone decides what it means.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        NoteWriter notes = new(output);
        try
        {
            using ChildRun run = new(job, read(job.Experiment), notes);
            if (run.Obey(lines))
            {
                // Letting go of everything may take its time; the parent's end is still this process's.
                new Thread(() => PerishAtEnd(lines, job.Folder)) { IsBackground = true, Name = "parent" }.Start();
                return 0;
            }

            // Before anything is let go of: that waits for jobs, which may take long.
            Perish(job.Folder);
            return 3;
        }
        catch (Exception failure)
        {
            // Whatever it is, the parent is who can tell the user.
            notes.Write(new Note(NoteKind.Failed) { Text = failure is InvalidInputException ? failure.Message : failure.ToString() });
            return 3;
        }
    }

    /// <summary>The parent is gone: nothing of the run may stay behind, whatever the other threads are doing.</summary>
    private static void Perish(string folder)
    {
        SocketFolder.Delete(folder);
        using Process self = Process.GetCurrentProcess();
        self.Kill();
    }

    private static void PerishAtEnd(StreamReader lines, string folder)
    {
        while (lines.ReadLine() is not null)
        {
        }

        Perish(folder);
    }

    private static ChildJob? ReadJob(StreamReader lines)
    {
        if (!Console.IsInputRedirected)
        {
            return null;
        }

        try
        {
            return lines.ReadLine() is string line ? JsonSerializer.Deserialize(line, ControlJson.Default.ChildJob) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
