using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DistTrain.Engines.Storage;

/// <summary>Syncs a folder. POSIX keeps a file's name apart from its contents; Windows has no such call and needs none on NTFS, whose journal orders names.</summary>
internal static partial class FolderSync
{
    private const int ReadOnly = 0;

    /// <summary>Throws <see cref="IOException"/> when the folder cannot be synced.</summary>
    public static void Sync(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using SafeFileHandle folder = new(Open(path, ReadOnly), ownsHandle: true);
        if (folder.IsInvalid || FSync(folder) != 0)
        {
            throw new IOException($"{path}: the folder cannot be synced ({Marshal.GetLastPInvokeErrorMessage()})");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FSync(SafeFileHandle file);
}
