using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using DistTrain.Conformance.Support;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Processes;

/// <summary>What is no frame of the run closes its connection and nothing else: the weights come out as if nobody had knocked.</summary>
public sealed class HostileConnectionsTests
{
    private const int Server = 1;

    private const string Acknowledge =
        """{"tag":"acknowledge","run":1,"epoch":1,"from":0,"from-incarnation":1,"to":1,"to-incarnation":1,"sequence":0,"acknowledges":1}""";

    [SkippableFact]
    public void WhatIsNoFrameOfTheRunClosesItsConnectionAndNothingElse()
    {
        Skip.If(OperatingSystem.IsWindows(), "Sockets are files.");
        List<string> notClosed = [];
        Observed observed = new();
        ProcessesTests.ShouldGiveTheBitsOfThePlainLoop(ProcessesTests.Base(), workers: 1, observed, (run, step) =>
        {
            if (step == 3)
            {
                byte[] token = Convert.FromHexString(run.Token);
                foreach ((string what, byte[] bytes) in Attacks(token))
                {
                    if (!IsClosed(SocketFolder.SocketOf(run.Folder, Server), bytes))
                    {
                        notClosed.Add(what);
                    }
                }
            }
        });
        notClosed.ShouldBeEmpty();

        // Once is enough to look into it.
        observed.Notices.Count(notice => notice.Contains("closed a connection", StringComparison.Ordinal)).ShouldBe(1);
    }

    private static IEnumerable<(string What, byte[] Bytes)> Attacks(byte[] token)
    {
        byte[] wrong = [.. token];
        wrong[^1] ^= 1;
        byte[] welcome = PeerStream.Greeting(token, 0);
        yield return ("a wrong token", PeerStream.Greeting(wrong, 0));
        yield return ("a right token of a process that does not exist", PeerStream.Greeting(token, 77));
        yield return ("a right token of the process itself", PeerStream.Greeting(token, Server));
        yield return ("a frame without a token", [.. Frame(Acknowledge), .. new byte[welcome.Length]]);
        yield return ("text instead of a token", Encoding.UTF8.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        yield return ("garbage behind the token", [.. welcome, .. Enumerable.Repeat((byte)0xAB, 500)]);
        yield return ("a frame that is too long", [.. welcome, .. Prefix(uint.MaxValue, 10)]);
        yield return ("a header that is too long", [.. welcome, .. Prefix(WireLimits.HeaderBytesMax + 100, WireLimits.HeaderBytesMax + 1)]);
        yield return ("a header longer than its frame", [.. welcome, .. Prefix(20, 400)]);
        yield return ("a tensor in shared memory that is not there", [.. PeerStream.Greeting(token, 0, new SharedMemoryPlace(1, 1, 1 << 20, Guid.Empty)), .. Aside(0, 0)]);
        yield return ("an unknown tag", [.. welcome, .. Frame("""{"tag":"shut-down"}""")]);
        yield return ("a header that is no JSON", [.. welcome, .. Frame("tag")]);
        yield return ("a message for an actor elsewhere", [.. welcome, .. Frame(Acknowledge)]);
    }

    private static byte[] Prefix(uint frame, uint header)
    {
        byte[] prefix = new byte[WireLimits.PrefixBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(prefix, frame);
        BinaryPrimitives.WriteUInt32LittleEndian(prefix.AsSpan(sizeof(uint)), header);
        return prefix;
    }

    private static byte[] Frame(string header)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(header);
        return [.. Prefix((uint)(bytes.Length + sizeof(uint)), (uint)bytes.Length), .. bytes];
    }

    /// <summary>Weights of 64 KiB that lie aside.</summary>
    private static byte[] Aside(long offset, int slot)
    {
        byte[] header = Encoding.UTF8.GetBytes(
            """{"tag":"weights","run":1,"epoch":1,"from":0,"from-incarnation":1,"to":3,"to-incarnation":1,"sequence":1,"acknowledges":1,"step":1,"slice":0,"buffer":{"offset":0,"length":65536},"carried":null}""");
        byte[] place = new byte[TensorPlace.EncodedBytes];
        new TensorPlace(offset, slot).Write(place);
        return [.. Prefix((uint)(header.Length + sizeof(uint) + (1 << 16)), (uint)header.Length), .. header, .. place];
    }

    /// <summary>Whether the other end closes the connection when it has read the bytes.</summary>
    private static bool IsClosed(string address, byte[] bytes)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(address));
            socket.Send(bytes);
            return socket.Receive(new byte[1]) == 0;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown;
        }
    }
}
