using System.Text;
using DistTrain.Numerics;

namespace DistTrain.Engines.Processes;

/// <summary>A run's folder of sockets under the temporary directory, which only its user may enter (0700).</summary>
internal sealed class SocketFolder : IDisposable
{
    private const string Prefix = "dt-";

    /// <summary>Makes the folder. Throws <see cref="InvalidInputException"/> where a socket cannot be.</summary>
    public SocketFolder()
    {
        if (Problem() is string problem)
        {
            throw new InvalidInputException(problem);
        }

        FullPath = Directory.CreateTempSubdirectory(Prefix).FullName;
    }

    /// <summary>Absolute.</summary>
    public string FullPath { get; }

    /// <summary>Snapshots of a run that has no folder for them.</summary>
    public string JournalFolder => Path.Combine(FullPath, "journal");

    /// <summary>Where a process listens; the same after a restart.</summary>
    public static string SocketOf(string folder, int process) => Path.Combine(folder, $"{process}.sock");

    /// <summary>Takes a process's socket from its place: nobody finds it there any more, and who has found it keeps it.</summary>
    public void Remove(int process) => File.Delete(SocketOf(FullPath, process));

    /// <summary>Why sockets cannot be made here; null when they can.</summary>
    public static string? Problem()
    {
        string above = Path.GetTempPath(), longest = SocketOf(Path.Combine(above, Prefix + "xxxxxx"), 9999);
        return Encoding.UTF8.GetByteCount(longest) > ProcessesLimits.SocketPathBytesMax
            ? $"engine: processes needs a temporary directory whose path is short enough for a socket's name, and {above} is not; "
                + $"expected TMPDIR to name a folder of at most {ProcessesLimits.SocketPathBytesMax - 20} bytes, such as /tmp"
            : WritingProblem(above) is string problem
                ? $"engine: processes needs a temporary directory for its sockets, and {above} {problem}; expected TMPDIR to name a folder that can be written, such as /tmp"
                : null;
    }

    /// <summary>Nothing but a folder made there tells whether one can be: rights, disks and mounts all have a say.</summary>
    private static string? WritingProblem(string above)
    {
        try
        {
            Directory.CreateTempSubdirectory(Prefix).Delete();
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return Directory.Exists(above) ? $"cannot be written ({refused.Message})" : "is no folder";
        }
    }

    /// <summary>Deletes a folder as far as that can be done.</summary>
    public static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // Another process of the run may be deleting it at the same moment.
        }
    }

    public void Dispose() => Delete(FullPath);
}
