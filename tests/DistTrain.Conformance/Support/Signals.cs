using System.Diagnostics;
using System.Globalization;
using DistTrain.Engines.Processes;

namespace DistTrain.Conformance.Support;

/// <summary>Signals to the processes of a run.</summary>
internal static class Signals
{
    /// <summary>Ends a process at once (SIGKILL).</summary>
    public static void Kill(ProcessesRun run, string name)
    {
        using Process process = Process.GetProcessById(IdOf(run, name));
        process.Kill();
    }

    /// <summary>Stops a process (SIGSTOP); its number.</summary>
    public static int Stop(ProcessesRun run, string name)
    {
        int id = IdOf(run, name);
        Send("-STOP", id);
        return id;
    }

    /// <summary>Lets a stopped process go on (SIGCONT).</summary>
    public static void Continue(int id) => Send("-CONT", id);

    private static int IdOf(ProcessesRun run, string name) => run.Living.Single(process => process.Name == name).Id;

    private static void Send(string signal, int id)
    {
        using Process kill = Process.Start("kill", [signal, id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
