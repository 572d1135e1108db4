using System.Diagnostics;
using System.Runtime.InteropServices;
using DistTrain.Engines;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>What a step in the steady state allocates and collects, and how long a job takes from one thread to another that is awake.</summary>
internal static class AllocationsBenchmark
{
    private const long FirstStep = 2_000, Steps = 10_000;

    /// <summary>Prints a row for every cut, and the hand-over.</summary>
    public static void Run(int rounds)
    {
        Console.WriteLine($"threads engine, steps {FirstStep:N0} to {FirstStep + Steps:N0}, float32, batch 64, momentum 0.9");
        Console.WriteLine("| network | threads | replicas | micro-batches | bytes a step | messages a step | bytes a message | Gen0 | Gen1 | Gen2 |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        Measure([64, 64, 10], 1, 1, 1);
        Measure([64, 64, 10], 2, 1, 1);
        Measure([64, 64, 64, 10], 2, 2, 4);
        List<double> nanoseconds = [.. Enumerable.Range(0, rounds).Select(_ => HandOver())];
        Console.WriteLine(
            $"a job from one compute thread to another that is awake, there and back: {nanoseconds.Order().ElementAt(rounds / 2):F0} ns one way ({nanoseconds.Min():F0} to {nanoseconds.Max():F0})");
    }

    private static void Measure(int[] sizes, int threads, int replicas, int microBatches)
    {
        const int Batch = 64, StepsOfAnEpoch = 100;
        int epochs = (int)((FirstStep + Steps) / StepsOfAnEpoch) + 1;
        RunSettings settings = RandomRows.Settings(
            sizes, [.. Enumerable.Repeat(1, sizes.Length - 1)], new TrainingSettings(epochs, Batch, microBatches)) with { Replicas = replicas };
        settings = settings with { Optimizer = settings.Optimizer with { Momentum = 0.9 } };
        Counter counter = new();
        RunOutcome outcome = new ThreadsEngine().Run(
            new RunRequest { Settings = settings, Data = RandomRows.Data(StepsOfAnEpoch * Batch, sizes[0], sizes[^1]), ComputeThreads = threads }, counter, CancellationToken.None);
        double messages = outcome.MessagesByType.Sum(pair => pair.Value) / (double)outcome.Steps, bytes = counter.Bytes / (double)Steps;
        Console.WriteLine(
            $"| {string.Join('-', sizes)} | {threads} | {replicas} | {microBatches} | {bytes:F0} | {messages:F1} | {bytes / messages:F0} "
            + $"| {counter.Collections[0]} | {counter.Collections[1]} | {counter.Collections[2]} |");
    }

    /// <summary>Nanoseconds of one way.</summary>
    private static double HandOver()
    {
        const int Hops = 400_000;
        using BufferPool pool = new();
        using ManualResetEventSlim done = new();
        PingPong[] players = [new(), new()];
        using ComputeCrew first = new(1, players[0]), second = new(1, players[1]);
        ActorCell[] cells = [Apart(() => CellOn(first, 0)), Apart(() => CellOn(second, 1))];
        LoadBatchJob[] jobs = [.. cells.Select(cell => Apart(() => new LoadBatchJob(0, 0) { HostTag = cell }))];
        players[0].Play = Apart<Action>(() => () => Pass(players[0], second, jobs[1]));
        players[1].Play = Apart<Action>(() => () => Pass(players[1], first, jobs[0]));
        first.Schedule(jobs[0]);
        done.Wait();
        double nanoseconds = Stopwatch.GetElapsedTime(players[0].StartedAt).TotalNanoseconds / (Hops * 9.0 / 10);
        foreach (ActorCell cell in cells)
        {
            cell.Dispose();
        }

        return nanoseconds;

        ActorCell CellOn(ComputeCrew crew, int actor) => new(new ActorId(actor), new NoHost(), crew, pool, TimeProvider.System);

        // Each counts what it has received: one count would have to go from one thread to the other and back as well.
        void Pass(PingPong player, ComputeCrew to, LoadBatchJob job)
        {
            long received = ++player.Received;
            if (received == Hops / 10 / 2)
            {
                player.StartedAt = Stopwatch.GetTimestamp();
            }

            if (received == Hops / 2 && player == players[1])
            {
                done.Set();
                return;
            }

            to.Schedule(job);
        }
    }

    /// <summary>Makes something that shares no cache line with what was made before it and what is made after it, as what belongs to different threads happens to in a run.</summary>
    private static T Apart<T>(Func<T> make)
    {
        GC.KeepAlive(new byte[256]);
        T made = make();
        GC.KeepAlive(new byte[256]);
        return made;
    }

    private sealed class Counter : IRunObserver
    {
        private long _bytes;
        private int[] _collections = [];

        public long Bytes { get; private set; }

        public int[] Collections { get; private set; } = [];

        public void OnStep(in StepProgress step)
        {
            if (step.Step == FirstStep)
            {
                (_bytes, _collections) = (GC.GetTotalAllocatedBytes(precise: true), Count());
            }
            else if (step.Step == FirstStep + Steps)
            {
                Bytes = GC.GetTotalAllocatedBytes(precise: true) - _bytes;
                Collections = [.. Count().Zip(_collections, (after, before) => after - before)];
            }
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }

        private static int[] Count() => [.. Enumerable.Range(0, 3).Select(GC.CollectionCount)];
    }

    /// <summary>On cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private sealed class PingPong : IJobRunner
    {
        [FieldOffset(128)]
        private Action _play = () => { };

        [FieldOffset(136)]
        private long _received;

        [FieldOffset(144)]
        private long _startedAt;

        public ref long Received => ref _received;

        public ref long StartedAt => ref _startedAt;

        public Action Play
        {
            get => _play;
            set => _play = value;
        }

        public void Run(Job job, ComputeScratch scratch, IForkJoin fork) => Play();

        public KeptParameters ReadParameters(long step) => KeptParameters.None;
    }

    private sealed class NoHost : IActorHost
    {
        public void Deliver(Envelope envelope)
        {
        }

        public bool Persist(ActorCell cell, int life, PersistRecord record) => true;

        public void Report(Report report)
        {
        }

        public void Spawn(ActorId actor, int incarnation)
        {
        }
    }
}
