using System.Runtime.InteropServices;

namespace DistTrain.Engines.Processes;

/// <summary>Stops processes and lets them go on, as a debugger or a machine that swaps does. Not on Windows, which has no such signals.</summary>
internal static partial class ProcessSignals
{
    private const int Linux = 0, Other = 1, SetParentDeathSignal = 1;

    // SIGSTOP and SIGCONT of Linux, and of macOS and the BSDs.
    private static readonly int[] Stops = [19, 17], Continues = [18, 19];

    private static int System => OperatingSystem.IsLinux() ? Linux : Other;

    /// <summary>Stops a process (SIGSTOP); false when there is none.</summary>
    public static bool Stop(int process) => Send(process, Stops[System]) == 0;

    /// <summary>Lets a stopped process go on (SIGCONT); false when there is none.</summary>
    public static bool Continue(int process) => Send(process, Continues[System]) == 0;

    /// <summary>
    /// Lets this process go on, should it be stopped, once the thread that started it has ended: only who runs sees that the parent is gone. Without effect where the
    /// system has nothing of the kind.
    /// </summary>
    public static void ContinueAtEndOfParent()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Control(SetParentDeathSignal, (nuint)Continues[Linux], 0, 0, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int option, nuint argument, nuint unused2, nuint unused3, nuint unused4);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Send(int process, int signal);
}
