using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

/// <summary>One place for one job: whoever gives it, one thread has it.</summary>
public sealed class HandOverSlotTests
{
    private readonly HandOverSlot _slot = new();

    [Fact]
    public void NothingIsGivenToAnOwnerThatIsAway()
    {
        LoadBatchJob job = new(0, 0);
        _slot.TryGive(job).ShouldBeFalse("nobody has come yet");
        _slot.IsFull.ShouldBeFalse();
        _slot.Take().ShouldBeNull();

        _slot.Open();
        _slot.TryClose().ShouldBeTrue();
        _slot.TryGive(job).ShouldBeFalse("the owner has left");
        _slot.Take().ShouldBeNull();
    }

    [Fact]
    public void ItHoldsOneJobAtATime()
    {
        LoadBatchJob first = new(1, 0), second = new(2, 0);
        _slot.Open();
        _slot.Take().ShouldBeNull();
        _slot.TryGive(first).ShouldBeTrue();
        _slot.IsFull.ShouldBeTrue();
        _slot.TryGive(second).ShouldBeFalse();
        _slot.Take().ShouldBeSameAs(first);
        _slot.IsFull.ShouldBeFalse();
        _slot.TryGive(second).ShouldBeTrue();
        _slot.Take().ShouldBeSameAs(second);
    }

    [Fact]
    public void AnOwnerDoesNotLeaveWhatItHasBeenGiven()
    {
        LoadBatchJob job = new(0, 0);
        _slot.Open();
        _slot.TryGive(job).ShouldBeTrue();
        _slot.TryClose().ShouldBeFalse();
        _slot.Take().ShouldBeSameAs(job);
        _slot.TryClose().ShouldBeTrue();
    }

    [Fact]
    public void WhatManyGiveAndManyTakeIsTakenOnce()
    {
        const int Givers = 3, Takers = 2, Each = 30_000;
        int[] taken = new int[Givers * Each];
        int left = taken.Length;
        _slot.Open();
        Thread[] threads =
        [
            .. Enumerable.Range(0, Givers).Select(giver => new Thread(() =>
            {
                for (int i = 0; i < Each; i++)
                {
                    LoadBatchJob job = new((giver * Each) + i, 0);
                    while (!_slot.TryGive(job))
                    {
                        Thread.Yield();
                    }
                }
            })),
            .. Enumerable.Range(0, Takers).Select(taker => new Thread(() =>
            {
                while (Volatile.Read(ref left) > 0)
                {
                    if (_slot.Take() is LoadBatchJob job)
                    {
                        Interlocked.Increment(ref taken[job.Stage]);
                        Interlocked.Decrement(ref left);
                    }
                    else if (taker == 0 && _slot.TryClose())
                    {
                        // The owner goes and comes back all the time.
                        _slot.Open();
                    }
                }
            })),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        taken.ShouldAllBe(times => times == 1);
    }

    [Fact]
    public void WhatTwoReachForAtOnceOnlyOneOfThemHas()
    {
        // One gives and reaches for it at once, some time later each time, while the other reaches all the time.
        const int Count = 300_000;
        int[] taken = new int[Count];
        bool ends = false;
        _slot.Open();
        Thread other = new(() =>
        {
            while (!Volatile.Read(ref ends))
            {
                Note(_slot.Take());
            }
        })
        { IsBackground = true };
        other.Start();
        for (int i = 0; i < Count; i++)
        {
            _slot.TryGive(new LoadBatchJob(i, 0)).ShouldBeTrue();
            Thread.SpinWait(i % 8);
            Note(_slot.Take());
        }

        Volatile.Write(ref ends, true);
        other.Join();
        taken.ShouldAllBe(times => times == 1);

        void Note(object? item)
        {
            if (item is LoadBatchJob job)
            {
                Interlocked.Increment(ref taken[job.Stage]);
            }
        }
    }
}
