using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistTrain.Protocol.Wire;
using Microsoft.Win32.SafeHandles;

namespace DistTrain.Engines.Processes;

/// <summary>
/// Memory of a connection that two processes see. It has no name anywhere in the file system (memfd), so none is left behind whoever is killed when, and its size is
/// sealed, so nobody can be made to read beyond its end. A connection that is made again gets new memory. Linux only; elsewhere everything goes through sockets.
/// </summary>
internal sealed unsafe partial class SharedMemory : IDisposable
{
    /// <summary>Tensors that can be lent at a time: many more than links have messages under way.</summary>
    public const int SlotsMax = 512;

    /// <summary>What every tensor's offset is a multiple of: a cache line, as kernels expect, which no two tensors share.</summary>
    public const int Alignment = 64;

    // A page says whose memory it is and what the reader gave back: how many, and the slots of the last ones.
    private const int HeaderBytes = 4096, NonceBytes = 16, OpenedAt = 64, ArenaOpenedAt = 96, ReturnedAt = 128, SlotsAt = 1024;
    private const string Name = "disttrain-tensors";

    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _mapped;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private SharedMemory(SafeFileHandle file, long dataBytes, in SharedMemoryPlace place)
    {
        (_file, DataBytes, Place) = (file, dataBytes, place);
        _mapped = MemoryMappedFile.CreateFromFile(file, null, HeaderBytes + dataBytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _mapped.CreateViewAccessor(0, HeaderBytes + dataBytes, MemoryMappedFileAccess.ReadWrite);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
    }

    /// <summary>Bytes of data.</summary>
    public long DataBytes { get; }

    /// <summary>What another process opens it by.</summary>
    public SharedMemoryPlace Place { get; }

    /// <summary>Keeps the memory mapped while it is used; another thread may close it at any time.</summary>
    public SafeHandle Handle => _view.SafeMemoryMappedViewHandle;

    /// <summary>The system's number of the process that has opened it, as that says; 0 for nobody yet.</summary>
    public int Reader
    {
        get => Volatile.Read(ref *(int*)(_start + OpenedAt));
        set => Volatile.Write(ref *(int*)(_start + OpenedAt), value);
    }

    /// <summary>Whether the other side has opened it.</summary>
    public bool IsOpened => Reader != 0;

    /// <summary>Whether the other side sees the <see cref="SharedArena"/> of the process that made this too, as it says.</summary>
    public bool IsArenaOpened
    {
        get => Volatile.Read(ref *(int*)(_start + ArenaOpenedAt)) != 0;
        set => Volatile.Write(ref *(int*)(_start + ArenaOpenedAt), value ? 1 : 0);
    }

    /// <summary>Whether the process that opened it has ended, and so reads nothing any more.</summary>
    public bool IsReaderGone => Reader is int reader && (reader == 0 || !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{reader}")));

    /// <summary>How many tensors the reader gave back, as it says.</summary>
    public long Returned => Volatile.Read(ref *(long*)(_start + ReturnedAt));

    /// <summary>The slot of a tensor that was given back, of the last <see cref="SlotsMax"/>.</summary>
    public int ReturnedSlot(long number) => *SlotOf(number);

    /// <summary>Gives the next tensor back.</summary>
    /// <param name="number">Tensors given back before it.</param>
    /// <param name="slot">Its slot.</param>
    public void Return(long number, int slot)
    {
        *SlotOf(number) = slot;
        Volatile.Write(ref *(long*)(_start + ReturnedAt), number + 1);
    }

    /// <summary>Makes memory; null where the system has no such thing.</summary>
    public static SharedMemory? TryCreate(long dataBytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        SafeFileHandle file = new(MemFdCreate(Name, CloseOnExec | AllowSealing), ownsHandle: true);
        try
        {
            if (file.IsInvalid)
            {
                file.Dispose();
                return null;
            }

            byte[] nonce = RandomNumberGenerator.GetBytes(NonceBytes);
            RandomAccess.SetLength(file, HeaderBytes + dataBytes);
            RandomAccess.Write(file, nonce, 0);
            int descriptor = (int)file.DangerousGetHandle();
            if (FileControl(descriptor, AddSeals, SealSeal | SealShrink | SealGrow) != 0)
            {
                file.Dispose();
                return null;
            }

            return new SharedMemory(file, dataBytes, new SharedMemoryPlace(Environment.ProcessId, descriptor, dataBytes, new Guid(nonce)));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            file.Dispose();
            return null;
        }
    }

    /// <summary>Opens the memory of another process. Null where that cannot be, such as when the process has ended and its number is another's now: nothing is
    /// written before the memory is known to be the right one.</summary>
    public static SharedMemory? TryOpen(in SharedMemoryPlace place)
    {
        if (!OperatingSystem.IsLinux() || place.DataBytes is <= 0 or > WireLimits.FrameBytesMax)
        {
            return null;
        }

        SafeFileHandle? file = null;
        try
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{place.Process}/fd/{place.Descriptor}");
            if (new FileInfo(path).LinkTarget is not string target || !target.StartsWith($"/memfd:{Name}", StringComparison.Ordinal))
            {
                return null;
            }

            file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (Matches(file, place))
            {
                SharedMemory memory = new(file, place.DataBytes, place) { Reader = Environment.ProcessId };
                file = null;
                return memory;
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or NotSupportedException or OutOfMemoryException)
        {
            // The sender sees that nobody has opened its memory, and goes on without.
        }
        finally
        {
            file?.Dispose();
        }

        return null;
    }

    /// <summary>Bytes of the data; the caller holds <see cref="Handle"/>.</summary>
    public Span<byte> Data(long offset, int length) => new(_start + HeaderBytes + offset, length);

    /// <summary>Where data is in this process; the caller holds <see cref="Handle"/> as long as it uses it.</summary>
    public nint Address(long offset) => (nint)(_start + HeaderBytes + offset);

    public void Dispose()
    {
        _view.Dispose();
        _mapped.Dispose();
        _file.Dispose();
    }

    private int* SlotOf(long number) => (int*)(_start + SlotsAt) + (number % SlotsMax);

    private static bool Matches(SafeFileHandle file, in SharedMemoryPlace place)
    {
        const int Sealed = SealShrink | SealGrow;
        Span<byte> nonce = stackalloc byte[NonceBytes];
        return RandomAccess.GetLength(file) == HeaderBytes + place.DataBytes
            && (FileControl((int)file.DangerousGetHandle(), GetSeals, 0) & Sealed) == Sealed
            && RandomAccess.Read(file, nonce, 0) == NonceBytes
            && new Guid(nonce) == place.Nonce;
    }
}

/// <content>Calls of the operating system, with its numbers.</content>
internal sealed unsafe partial class SharedMemory
{
    private const uint CloseOnExec = 1, AllowSealing = 2;
    private const int AddSeals = 1033, GetSeals = 1034, SealSeal = 1, SealShrink = 2, SealGrow = 4;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MemFdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FileControl(int descriptor, int command, int argument);
}
