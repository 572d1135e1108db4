using DistTrain.Engines.Shared;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

/// <summary>Jobs on the crew: each runs once, as soon as any member has time for it, whichever it was given to.</summary>
public sealed class CrewJobsTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly BufferPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 3)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 2)]
    public void EveryJobRunsOnceWhoeverGivesIt(int members, int givers)
    {
        // Each job asks for another one in turn, from a member, after some pauses long enough for members to sleep.
        const int Each = 4_000;
        int[] runs = new int[2 * givers * Each];
        CountdownEvent left = new(runs.Length);
        Jobs jobs = new();
        using ComputeCrew crew = new(members, jobs);
        using ActorCell cell = CellOn(crew);
        jobs.Do = job =>
        {
            Interlocked.Increment(ref runs[job.Stage]);
            if (job.Stage % 2 == 0)
            {
                crew.Schedule(JobOf(cell, job.Stage + 1));
            }

            left.Signal();
        };
        Thread[] threads = [.. Enumerable.Range(0, givers).Select(giver => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                crew.Schedule(JobOf(cell, 2 * ((giver * Each) + i)));
                if (i % 500 == 0)
                {
                    left.Wait(TimeSpan.FromMilliseconds(2));
                }
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        left.Wait(s_patience).ShouldBeTrue($"{left.CurrentCount} jobs are left");
        runs.ShouldAllBe(times => times == 1);
    }

    [Fact]
    public void WhatABusyMemberHasBeenGivenAnotherOneDoes()
    {
        ManualResetEventSlim bothBegun = new(), third = new();
        bool cameInTime = false;
        int begun = 0;
        Jobs jobs = new();
        using ComputeCrew crew = new(2, jobs);
        using ActorCell cell = CellOn(crew);
        jobs.Do = job =>
        {
            if (job.Stage == 2)
            {
                third.Set();
                return;
            }

            if (Interlocked.Increment(ref begun) == 2)
            {
                bothBegun.Set();
            }

            bothBegun.Wait(s_patience).ShouldBeTrue();
            if (job.Stage == 0)
            {
                // The other member is awake and busy until this job has been done.
                crew.Schedule(JobOf(cell, 2));
            }
            else
            {
                Volatile.Write(ref cameInTime, third.Wait(s_patience));
            }
        };
        crew.Schedule(JobOf(cell, 0));
        crew.Schedule(JobOf(cell, 1));
        third.Wait(s_patience).ShouldBeTrue();
        crew.Dispose();
        cameInTime.ShouldBeTrue();
    }

    [Fact]
    public void WhatWaitsBehindABusyMemberWakesOneThatSleeps()
    {
        // Two of three members are busy until the end; what is given to them meanwhile the third one does, though it sleeps.
        ManualResetEventSlim end = new();
        CountdownEvent busy = new(2);
        using SemaphoreSlim done = new(0);
        Jobs jobs = new();
        using ComputeCrew crew = new(3, jobs);
        using ActorCell cell = CellOn(crew);
        jobs.Do = job =>
        {
            if (job.Stage < 2)
            {
                busy.Signal();
                end.Wait(s_patience);
            }
            else
            {
                done.Release();
            }
        };
        crew.Schedule(JobOf(cell, 0));
        crew.Schedule(JobOf(cell, 1));
        busy.Wait(s_patience).ShouldBeTrue();
        for (int job = 2; job < 6; job++)
        {
            // Long enough to fall asleep.
            end.Wait(TimeSpan.FromMilliseconds(5));
            crew.Schedule(JobOf(cell, job));
            done.Wait(s_patience / 4).ShouldBeTrue($"job {job} waits");
        }

        end.Set();
    }

    [Fact]
    public void WhatACrewHasNotBegunWithIsGivenBack()
    {
        ManualResetEventSlim begun = new(), ends = new();
        Jobs jobs = new() { Do = _ => { begun.Set(); ends.Wait(s_patience); } };
        ComputeCrew crew = new(1, jobs);
        using ActorCell cell = CellOn(crew);
        crew.Schedule(JobOf(cell, 0));
        begun.Wait(s_patience).ShouldBeTrue();
        for (int job = 1; job <= 3; job++)
        {
            // One of them waits in the member's slot, the others in the queue.
            LoadBatchJob held = JobOf(cell, job);
            held.Inputs[0] = _pool.Rent(64);
            crew.Schedule(held);
        }

        _pool.Live.ShouldBe(3);
        crew.Stop();
        ends.Set();
        crew.Dispose();
        _pool.Live.ShouldBe(0);
    }

    private static LoadBatchJob JobOf(ActorCell cell, int number) => new(number, 0) { HostTag = cell };

    private ActorCell CellOn(ComputeCrew crew) => new(new ActorId(0), new NoHost(), crew, _pool, TimeProvider.System);

    private sealed class Jobs : IJobRunner
    {
        public Action<LoadBatchJob> Do { get; set; } = _ => { };

        public void Run(Job job, ComputeScratch scratch, IForkJoin fork) => Do((LoadBatchJob)job);

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
