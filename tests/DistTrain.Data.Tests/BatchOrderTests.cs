using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class BatchOrderTests
{
    [Theory]
    [InlineData(10, 3)]
    [InlineData(10, 5)]
    [InlineData(10, 99)]
    [InlineData(1, 1)]
    [InlineData(257, 64)]
    public void EveryEpochVisitsEveryRowOnceAndKeepsTheLastPartialBatch(int rows, int batchSize)
    {
        BatchOrder order = new(seed: 7, rows, batchSize, shuffle: true);
        for (int epoch = 0; epoch < 5; epoch++)
        {
            List<int> visited = [];
            for (int i = 0; i < order.StepsPerEpoch; i++)
            {
                long step = ((long)epoch * order.StepsPerEpoch) + i;
                int inStep = order.RowsInStep(step);
                inStep.ShouldBe(i < order.StepsPerEpoch - 1 ? batchSize : rows - (batchSize * i));
                visited.AddRange(order.RowsOf(step, 0, inStep));
            }

            visited.Order().ShouldBe(Enumerable.Range(0, rows));
        }
    }

    [Fact]
    public void EpochsAndSeedsHaveOrdersOfTheirOwn()
    {
        BatchOrder order = new(seed: 7, 100, 100, shuffle: true);
        int[] first = order.RowsOf(0, 0, 100).ToArray();

        order.RowsOf(1, 0, 100).ToArray().ShouldNotBe(first);
        new BatchOrder(seed: 8, 100, 100, shuffle: true).RowsOf(0, 0, 100).ToArray().ShouldNotBe(first);
        first.ShouldNotBe(Enumerable.Range(0, 100));
    }

    [Fact]
    public void TheFirstRowIsEachRowAboutEquallyOften()
    {
        BatchOrder order = new(seed: 3, 4, 4, shuffle: true);
        int[] counts = new int[4];
        for (int epoch = 0; epoch < 4000; epoch++)
        {
            counts[order.RowsOf(epoch, 0, 1)[0]]++;
        }

        // Five standard deviations of a binomial count with n = 4000 and p = 1/4.
        counts.ShouldAllBe(count => Math.Abs(count - 1000) < 137);
    }

    [Fact]
    public void WithoutShufflingRowsComeInOrder()
    {
        BatchOrder order = new(seed: 7, 5, 2, shuffle: false);

        order.RowsOf(0, 0, 2).ToArray().ShouldBe([0, 1]);
        order.RowsOf(2, 0, 1).ToArray().ShouldBe([4]);
        order.RowsOf(10, 0, 2).ToArray().ShouldBe([2, 3]);
    }

    [Fact]
    public void AStepIsAPureFunctionWhateverWasAskedBefore() =>
        Prop.ForAll<ulong, uint, uint[]>((seed, chosen, before) =>
        {
            BatchOrder fresh = new(seed, 37, 5, shuffle: true), used = new(seed, 37, 5, shuffle: true);
            foreach (uint other in before)
            {
                _ = used.RowsOf(other % 1000, 0, 1);
            }

            long step = chosen % 1000;
            int rows = fresh.RowsInStep(step);
            return fresh.RowsOf(step, 0, rows).SequenceEqual(used.RowsOf(step, 0, rows));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void ASpanStaysValidWhileTheNextTwoEpochsAreAskedFor()
    {
        BatchOrder order = new(seed: 7, 50, 50, shuffle: true);
        ReadOnlySpan<int> span = order.RowsOf(4, 0, 50);
        int[] copy = span.ToArray();

        _ = order.RowsOf(5, 0, 50);
        _ = order.RowsOf(6, 0, 50);
        _ = order.RowsOf(4, 0, 50);

        span.ToArray().ShouldBe(copy);
    }

    [Fact]
    public void ManyThreadsSeeTheSameOrder()
    {
        const int Threads = 4, Steps = 300;
        BatchOrder shared = new(seed: 5, 101, 10, shuffle: true), alone = new(seed: 5, 101, 10, shuffle: true);
        int[] differences = new int[Threads];
        using Barrier barrier = new(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(index => new Thread(() =>
        {
            for (long step = 0; step < Steps; step++)
            {
                // The barrier keeps the threads within one step of each other, so within three epochs.
                barrier.SignalAndWait();
                int rows = shared.RowsInStep(step);
                ReadOnlySpan<int> got = shared.RowsOf(step, 0, rows);
                int[] expected;
                lock (alone)
                {
                    expected = alone.RowsOf(step, 0, rows).ToArray();
                }

                differences[index] += got.SequenceEqual(expected) ? 0 : 1;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        differences.ShouldBe(new int[Threads]);
    }

    [Fact]
    public void NothingIsAllocatedAfterTheFirstEpochs()
    {
        BatchOrder order = new(seed: 5, 1000, 10, shuffle: true);
        for (int step = 0; step < 300; step++)
        {
            _ = order.RowsOf(step, 0, 10);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 300; step < 900; step++)
        {
            _ = order.RowsOf(step, 0, 10);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void TheOrderIsPinned() =>
        new BatchOrder(seed: 1, 8, 8, shuffle: true).RowsOf(0, 0, 8).ToArray().ShouldBe([1, 2, 5, 3, 7, 4, 0, 6]);

    [Fact]
    public void WhatLiesOutsideAStepIsRefused()
    {
        BatchOrder order = new(seed: 7, 5, 2, shuffle: true);

        Should.Throw<ArgumentOutOfRangeException>(() => order.RowsInStep(-1));
        Should.Throw<ArgumentOutOfRangeException>(() => order.RowsOf(2, 0, 2).Length);
        Should.Throw<ArgumentOutOfRangeException>(() => order.RowsOf(0, 1, 2).Length);
        Should.Throw<ArgumentOutOfRangeException>(() => new BatchOrder(1, 0, 2, true));
        Should.Throw<ArgumentOutOfRangeException>(() => new BatchOrder(1, 2, 0, true));
    }
}
