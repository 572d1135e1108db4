using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using DistTrain.Numerics.Randomness;
using Microsoft.Win32.SafeHandles;

namespace DistTrain.Akka.Tests.Support;

/// <summary>
/// A slow network in user space, for kernels without netem: a TUN device for each address, between which IP packets are carried after a
/// delay, but for some that are dropped. The TCP above it is the kernel's own, so it sees real loss and real round trips.
/// </summary>
internal sealed partial class SlowNetwork : IDisposable
{
    // _IOW('T', 202, int) of linux/if_tun.h, and a device of IP packets without a header of its own.
    private const nuint SetInterface = 0x400454ca;
    private const short Tun = 0x0001, NoPacketInformation = 0x1000;
    private const int NameBytes = 16, RequestBytes = 40, PacketBytesMax = 2048;
    private const int Ipv4Version = 4, DestinationOffset = 16, Ipv4HeaderBytes = 20;

    private readonly SafeFileHandle[] _handles;
    private readonly Dictionary<uint, int> _places = [];
    private readonly BlockingCollection<(long Due, int Place, byte[] Packet)> _underWay = [];
    private readonly TimeSpan _delay;
    private readonly double _loss;
    private readonly Thread[] _threads;
    private long _carried, _dropped;

    private SlowNetwork(SafeFileHandle[] handles, IReadOnlyList<IPAddress> addresses, TimeSpan delay, double loss)
    {
        (_handles, _delay, _loss) = (handles, delay, loss);
        for (int place = 0; place < addresses.Count; place++)
        {
            _places[BitConverter.ToUInt32(addresses[place].GetAddressBytes())] = place;
        }

        _threads =
        [
            .. Enumerable.Range(0, handles.Length).Select(place => new Thread(() => Take(place)) { IsBackground = true, Name = $"packets {place}" }),
            new Thread(Give) { IsBackground = true, Name = "packets out" },
        ];
        Array.ForEach(_threads, thread => thread.Start());
    }

    /// <summary>The devices' names by place; whoever made the network moves them where they belong.</summary>
    public IReadOnlyList<string> Devices => [.. Enumerable.Range(0, _handles.Length).Select(NameOf)];

    /// <summary>Packets that were handed on.</summary>
    public long Carried => Interlocked.Read(ref _carried);

    /// <summary>Packets that were lost.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Makes the devices; null where that is not possible.</summary>
    /// <param name="addresses">IPv4 addresses by place.</param>
    /// <param name="delay">From one place to another.</param>
    /// <param name="loss">Part of the packets that is dropped.</param>
    public static SlowNetwork? TryCreate(IReadOnlyList<IPAddress> addresses, TimeSpan delay, double loss)
    {
        List<SafeFileHandle> handles = [];
        try
        {
            for (int place = 0; place < addresses.Count; place++)
            {
                SafeFileHandle handle = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
                handles.Add(handle);
                byte[] request = new byte[RequestBytes];
                Encoding.ASCII.GetBytes(NameOf(place)).CopyTo(request, 0);
                BitConverter.TryWriteBytes(request.AsSpan(NameBytes), (short)(Tun | NoPacketInformation));
                if (Control(handle, SetInterface, request) < 0)
                {
                    throw new IOException("no TUN device");
                }
            }

            return new SlowNetwork([.. handles], addresses, delay, loss);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            handles.ForEach(handle => handle.Dispose());
            return null;
        }
    }

    /// <summary>Ends it. The devices must be gone before, with the namespaces that they were moved to, for that ends who reads them.</summary>
    public void Dispose()
    {
        _underWay.CompleteAdding();
        Array.ForEach(_threads, thread => thread.Join(TimeSpan.FromSeconds(5)));
        Array.ForEach(_handles, handle => handle.Dispose());
        _underWay.Dispose();
    }

    private static string NameOf(int place) => $"slow{place}";

    private void Take(int place)
    {
        RandomStream chance = new(1, RandomPurpose.GeneratedData, place);
        byte[] buffer = new byte[PacketBytesMax];
        for (long packet = 0; ; packet++)
        {
            try
            {
                int read = (int)Read(_handles[place], buffer, PacketBytesMax);
                if (read < 0)
                {
                    return;
                }

                if (read < Ipv4HeaderBytes || buffer[0] >> 4 != Ipv4Version || !_places.TryGetValue(BitConverter.ToUInt32(buffer, DestinationOffset), out int to))
                {
                    // Nobody's: a neighbour discovery of IPv6, or a multicast.
                    continue;
                }

                if (chance.Uniform(packet) < _loss)
                {
                    Interlocked.Increment(ref _dropped);
                    continue;
                }

                _underWay.Add((Stopwatch.GetTimestamp(), to, buffer[..read]));
            }
            catch (InvalidOperationException)
            {
                // The network has ended.
                return;
            }
        }
    }

    /// <summary>Every packet takes as long as every other, so the first that came is the first that is due.</summary>
    private void Give()
    {
        using ManualResetEventSlim never = new();
        foreach ((long taken, int place, byte[] packet) in _underWay.GetConsumingEnumerable())
        {
            TimeSpan left = _delay - Stopwatch.GetElapsedTime(taken);
            if (left > TimeSpan.Zero)
            {
                never.Wait(left);
            }

            // A device that is down loses packets, as a cable that is not plugged in does.
            Interlocked.Increment(ref Write(_handles[place], packet, (nuint)packet.Length) < 0 ? ref _dropped : ref _carried);
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(SafeFileHandle handle, nuint request, byte[] argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Read(SafeFileHandle handle, [Out] byte[] buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Write(SafeFileHandle handle, byte[] buffer, nuint length);
}
