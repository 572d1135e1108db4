using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Benchmarks;

/// <summary>
/// Messages with a tensor between two processes, as the processes engine sends them: lent where they lie in the sender's arena, as its large tensors do unless it is full, copied
/// to shared memory, and through the socket alone, beside copying the same bytes within one thread, out of memory that lies in no cache of that core, for no tensor of another process
/// ever does. One way is half of there and back, the tensor sent both ways; a stream has sixteen tensors under way, of which every fourth is answered by a message without one.
/// </summary>
internal static class RingsBenchmark
{
    /// <summary>The argument that makes the program the other process.</summary>
    public const string PeerVerb = "rings-peer";

    private const int Window = 16, AnswerEvery = 4;

    // What memcpy goes through in turn: more than the core's own cache.
    private const int CopiedBytes = 32 << 20;

    private static readonly int[] s_sizes = [256, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20];
    private static readonly ActorId s_near = ActorId.Coordinator, s_far = new(2);

    /// <summary>Prints a row for every size of tensor; medians over the rounds.</summary>
    public static void Run(int rounds)
    {
        using Connection lent = new(ProcessesLimits.SharedBytes, hasArena: true), copied = new(ProcessesLimits.SharedBytes), socket = new(0);
        Console.WriteLine($"medians of {rounds} alternating rounds; two processes, {Environment.ProcessorCount} cores");
        Console.WriteLine(
            "| bytes | one way, lent us | copied us | socket us | stream, lent GB/s | copied GB/s | socket GB/s | memcpy GB/s | lent / memcpy | copied / memcpy |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (int size in s_sizes)
        {
            List<double>[] figures = [.. Enumerable.Range(0, 9).Select(_ => new List<double>())];
            for (int round = -1; round < rounds; round++)
            {
                (double lentWay, double copiedWay, double socketWay) = (lent.OneWay(size), copied.OneWay(size), socket.OneWay(size));
                (double lentStream, double copiedStream, double socketStream) = (lent.Stream(size), copied.Stream(size), socket.Stream(size));
                double memcpy = Copy(size);
                if (round >= 0)
                {
                    double[] row = [lentWay, copiedWay, socketWay, lentStream, copiedStream, socketStream, memcpy, lentStream / memcpy, copiedStream / memcpy];
                    for (int column = 0; column < row.Length; column++)
                    {
                        figures[column].Add(row[column]);
                    }
                }
            }

            string[] medians = [.. figures.Select(column => column.Order().ElementAt(column.Count / 2).ToString("F2", CultureInfo.InvariantCulture))];
            Console.WriteLine($"| {size:N0} | {string.Join(" | ", medians)} |");
        }
    }

    /// <summary>The other process: sends a tensor back for one of step 0, and a bare answer for every fourth of the others, until its input ends.</summary>
    public static int RunPeer(string[] args)
    {
        long received = 0;
        (string folder, byte[] token, long sharedBytes) = (args[1], Convert.FromHexString(args[2]), long.Parse(args[3], CultureInfo.InvariantCulture));
        using SharedArena? arena = args.Length > 4 ? SharedArena.TryCreate(ProcessesLimits.ArenaBytes) : null;
        using BufferPool pool = new(arena);
        using FrameLink back = new(new PeerStream(SocketFolder.SocketOf(folder, 0), token, 1, arena, sharedBytes).Connect, ProcessesLimits.ReconnectCap, pool);
        using PeerListener listener = new(SocketFolder.SocketOf(folder, 1), token, Placement(), 1, 3, pool, Answer, Console.Error.WriteLine);
        Console.In.ReadToEnd();
        return 0;

        void Answer(Envelope envelope)
        {
            Weights weights = (Weights)envelope.Message;
            if (weights.Step == 0)
            {
                back.Send(To(s_near, s_far, arena is null ? weights : weights with { Buffer = OwnInPlaceOf(weights.Buffer) }));
                return;
            }

            pool.Release(weights.Buffer);
            if (++received % AnswerEvery == 0)
            {
                back.Send(To(s_near, s_far, new Weights(1, 0, BufferHandle.None, BufferHandle.None)));
            }
        }

        // What was received lies in the other's arena; what goes back has to lie in this one's.
        BufferHandle OwnInPlaceOf(BufferHandle lent)
        {
            BufferHandle own = pool.Rent(pool.Length(lent));
            pool.Release(lent);
            return own;
        }
    }

    private static Placement Placement() => new(new Topology(1, 1, 1), workers: 1, cores: 2);

    private static Envelope To(ActorId to, ActorId from, Message message) => new(1, 1, from, 1, to, 1, 1, 1, message);

    private static double Copy(int size)
    {
        byte[] from = GC.AllocateUninitializedArray<byte>(CopiedBytes), to = GC.AllocateUninitializedArray<byte>(CopiedBytes);
        from.AsSpan().Fill(1);
        from.CopyTo(to, 0);
        const int Passes = 8;
        long start = Stopwatch.GetTimestamp();
        for (int pass = 0; pass < Passes; pass++)
        {
            for (int offset = 0; offset < CopiedBytes; offset += size)
            {
                from.AsSpan(offset, size).CopyTo(to.AsSpan(offset));
            }
        }

        return (double)Passes * CopiedBytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    private sealed class Connection : IDisposable
    {
        private readonly SocketFolder _folder = new();
        private readonly SharedArena? _arena;
        private readonly BufferPool _pool;
        private readonly FrameLink _link;
        private readonly PeerListener _listener;
        private readonly Process _peer;
        private readonly BufferHandle[] _tensors = new BufferHandle[Window];
        private readonly SemaphoreSlim _ended = new(0);
        private long _step, _left, _toSend;
        private int _size, _perAnswer;

        public Connection(long sharedBytes, bool hasArena = false)
        {
            _arena = hasArena ? SharedArena.TryCreate(ProcessesLimits.ArenaBytes) : null;
            _pool = new BufferPool(_arena);
            string token = Convert.ToHexString(RandomNumberGenerator.GetBytes(ProcessesLimits.TokenBytes));
            byte[] bytes = Convert.FromHexString(token);
            _listener = new PeerListener(SocketFolder.SocketOf(_folder.FullPath, 0), bytes, Placement(), 0, 3, _pool, OnAnswer, Console.Error.WriteLine);
            ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardInput = true };
            string[] program = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(RingsBenchmark).Assembly.Location] : [];
            string[] arena = hasArena ? ["arena"] : [];
            foreach (string argument in (string[])[.. program, PeerVerb, _folder.FullPath, token, sharedBytes.ToString(CultureInfo.InvariantCulture), .. arena])
            {
                start.ArgumentList.Add(argument);
            }

            _peer = Process.Start(start)!;
            _link = new FrameLink(new PeerStream(SocketFolder.SocketOf(_folder.FullPath, 1), bytes, 0, _arena, sharedBytes).Connect, ProcessesLimits.ReconnectCap, _pool);
        }

        /// <summary>Microseconds of a tensor from one process to the other.</summary>
        public double OneWay(int size)
        {
            long count = Math.Clamp((64L << 20) / size, 50, 2_000);
            return Exchange(size, count, 1, 1, step: 0) / count / 2 * 1e6;
        }

        /// <summary>Gigabytes a second to the other process.</summary>
        public double Stream(int size)
        {
            long count = Math.Clamp((512L << 20) / size, 128, 20_000) / AnswerEvery * AnswerEvery;
            return count * size / Exchange(size, count, Window, AnswerEvery, step: 1) / 1e9;
        }

        public void Dispose()
        {
            _peer.StandardInput.Close();
            _peer.WaitForExit();
            _peer.Dispose();
            _link.Dispose();
            _listener.Dispose();
            _pool.Dispose();
            _arena?.Dispose();
            _folder.Dispose();
            _ended.Dispose();
        }

        private double Exchange(int size, long count, int window, int answerEvery, long step)
        {
            if (_size != size)
            {
                foreach (ref BufferHandle tensor in _tensors.AsSpan())
                {
                    _pool.Release(tensor);
                    tensor = _pool.Rent(size);
                    _pool.Bytes(tensor).Fill(1);
                }

                _size = size;
            }

            (_left, _toSend, _perAnswer) = (count / answerEvery, count, answerEvery);
            _step = step;
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < window; i++)
            {
                Gather();
            }

            _link.Flush();
            _ended.Wait();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        // As a turn does: what it sends goes off at its end.
        private void Gather()
        {
            long number = Interlocked.Decrement(ref _toSend);
            if (number >= 0)
            {
                BufferHandle tensor = _tensors[number % Window];
                _pool.Retain(tensor);
                _link.Gather(To(s_far, s_near, new Weights(_step, 0, tensor, BufferHandle.None)));
            }
        }

        private void OnAnswer(Envelope envelope)
        {
            _pool.Release(((Weights)envelope.Message).Buffer);
            if (--_left == 0)
            {
                _ended.Release();
                return;
            }

            for (int i = 0; i < _perAnswer; i++)
            {
                Gather();
            }

            _link.Flush();
        }
    }
}
