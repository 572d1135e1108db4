using DistTrain.Engines.Shared;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

/// <summary>Chunked work on the crew: every chunk runs once, whoever helps.</summary>
public sealed class ComputeCrewTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 4)]
    public void EveryChunkOfEveryForkRunsOnce(int members, int openers)
    {
        using ComputeCrew crew = new(members, new NoJobs());
        RunOnThreads(openers, opener =>
        {
            for (int fork = 0; fork < 6_000; fork++)
            {
                Chunks work = new(2 + ((fork + opener) % 7));
                crew.Run(work, work.Count);
                work.ShouldAllHaveRunOnce($"fork {fork} of opener {opener}");
            }
        });
    }

    [Fact]
    public void AForkSlotLosesNoChunkToALateHelper()
    {
        // Helpers that come and go all the time hit every gap between two forks.
        ForkSlot slot = new();
        bool ends = false;
        Exception? failure = null;
        Thread[] helpers = [.. Enumerable.Range(0, 3).Select(helper => new Thread(() =>
        {
            try
            {
                while (!Volatile.Read(ref ends))
                {
                    slot.TryHelp(fromLast: helper % 2 == 0);
                }
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }))];
        Array.ForEach(helpers, helper => helper.Start());
        try
        {
            for (int fork = 0; fork < 20_000 && Volatile.Read(ref failure) is null; fork++)
            {
                Chunks work = new(2 + (fork % 3));
                slot.TryOpen(work, work.Count).ShouldBeTrue();
                slot.HelpAndClose(fromLast: fork % 2 == 0);
                work.ShouldAllHaveRunOnce($"fork {fork}");
            }
        }
        finally
        {
            Volatile.Write(ref ends, true);
            Array.ForEach(helpers, helper => helper.Join());
        }

        failure.ShouldBeNull();
    }

    [Fact]
    public void ChunksAreClaimedFromBothEnds()
    {
        // A member finds in its cache what it computed of the same matrix before.
        foreach (bool fromLast in (bool[])[false, true])
        {
            ForkSlot slot = new();
            Order work = new();
            slot.TryOpen(work, 4).ShouldBeTrue();
            slot.HelpAndClose(fromLast);
            work.Chunks.ShouldBe(fromLast ? [3, 2, 1, 0] : [0, 1, 2, 3]);
        }
    }

    [Fact]
    public void ASecondOpenerWorksAlone()
    {
        ForkSlot slot = new();
        slot.TryOpen(new Chunks(2), 2).ShouldBeTrue();
        slot.TryOpen(new Chunks(2), 2).ShouldBeFalse();
        slot.HelpAndClose(fromLast: false);
        slot.TryOpen(new Chunks(1), 1).ShouldBeFalse("one chunk needs no help");
        slot.TryOpen(new Chunks(2), 2).ShouldBeTrue();
        slot.HelpAndClose(fromLast: false);
        slot.TryHelp(fromLast: true).ShouldBeFalse();
    }

    [Fact]
    public void AWorkerThatThrowsIsHeardOnce()
    {
        List<Exception> failures = [];
        using ComputeCrew crew = new(2, new NoJobs()) { OnFailure = failures.Add };
        crew.Fail(new InvalidOperationException("first"));
        crew.Fail(new InvalidOperationException("second"));
        failures.Select(failure => failure.Message).ShouldBe(["first"]);
    }

    [Fact]
    public void ACrewMayBeDisposedTwice()
    {
        ComputeCrew crew = new(3, new NoJobs());
        crew.Width.ShouldBe(3);
        crew.Dispose();
        crew.Dispose();
        crew.IsStopping.ShouldBeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TheThreadThatCallsComputesUntilTheCrewIsStopped(int members)
    {
        using ComputeCrew crew = new(members, new NoJobs(), takesCaller: true);
        Chunks work = new(50);
        Thread other = new(() =>
        {
            crew.Run(work, work.Count);
            crew.Stop();
        });
        other.Start();
        crew.Work();
        other.Join();
        crew.IsStopping.ShouldBeTrue();
        work.ShouldAllHaveRunOnce("with a caller");

        // Whoever comes late leaves at once.
        crew.Work();
    }

    [Fact]
    public void ACrewWithoutRoomForTheCallerSaysSo()
    {
        using ComputeCrew crew = new(1, new NoJobs());
        Should.Throw<InvariantException>(crew.Work);
    }

    private static void RunOnThreads(int count, Action<int> work)
    {
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(thread => new Thread(() =>
        {
            try
            {
                work(thread);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        failure.ShouldBeNull();
    }

    private sealed class Order : IChunkedWork
    {
        public List<int> Chunks { get; } = [];

        public void RunChunk(int chunk) => Chunks.Add(chunk);
    }

    private sealed class Chunks(int count) : IChunkedWork
    {
        private readonly int[] _runs = new int[count];

        public int Count => _runs.Length;

        public void RunChunk(int chunk) => Interlocked.Increment(ref _runs[chunk]);

        public void ShouldAllHaveRunOnce(string what)
        {
            for (int chunk = 0; chunk < _runs.Length; chunk++)
            {
                if (Volatile.Read(ref _runs[chunk]) != 1)
                {
                    _runs.ShouldAllBe(runs => runs == 1, what);
                }
            }
        }
    }

    private sealed class NoJobs : IJobRunner
    {
        public void Run(Job job, ComputeScratch scratch, IForkJoin fork) => throw new InvalidOperationException("There is no job.");

        public KeptParameters ReadParameters(long step) => KeptParameters.None;
    }
}
