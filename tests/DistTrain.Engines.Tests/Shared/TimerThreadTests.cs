using System.Collections.Concurrent;
using System.Diagnostics;
using DistTrain.Engines.Shared;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

public sealed class TimerThreadTests
{
    // The times are far apart for a machine that is busy with something else.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), Never = Timeout.InfiniteTimeSpan;

    private readonly BlockingCollection<string> _fired = [];

    [Fact]
    public void TimersFireInTheOrderOfTheirTimesAndNotBeforeThem()
    {
        long start = Stopwatch.GetTimestamp();
        using ITimer last = Timer("last", 700), first = Timer("first", 100), second = Timer("second", 400);
        Assert.Equal("first", Next());
        Assert.True(Stopwatch.GetElapsedTime(start).TotalMilliseconds >= 100);
        Assert.Equal("second", Next());
        Assert.Equal("last", Next());
        Assert.True(Stopwatch.GetElapsedTime(start).TotalMilliseconds >= 700);
    }

    [Fact]
    public void ATimerFiresOnceUnlessItHasAPeriod()
    {
        using ITimer once = Timer("once", 0);
        Assert.Equal("once", Next());
        using ITimer again = TimerThread.Shared.CreateTimer(_ => _fired.Add("again"), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(5));
        Assert.Equal(["again", "again", "again"], [Next(), Next(), Next()]);
    }

    [Fact]
    public void OneThatIsPutOffFiresLater()
    {
        using ITimer late = Timer("late", 500);
        late.Change(TimeSpan.FromMilliseconds(1_500), Never);
        using ITimer other = Timer("other", 800);
        Assert.Equal("other", Next());
        Assert.Equal("late", Next());
    }

    [Fact]
    public void OneThatIsBroughtForwardWakesTheThreadAndDoesNotFireAtItsOldTimeToo()
    {
        using ITimer soon = Timer("soon", 1_000);
        soon.Change(TimeSpan.FromMilliseconds(1), Never);
        Assert.Equal("soon", Next());
        using ITimer end = Timer("end", 1_300);
        Assert.Equal("end", Next());
    }

    [Fact]
    public void OneThatIsTakenBackOrDisposedOfDoesNotFireAndCanOnlyInTheFirstCaseBeSetAgain()
    {
        using ITimer taken = Timer("taken", 500);
        ITimer gone = Timer("gone", 500);
        Assert.True(taken.Change(Never, Never));
        gone.Dispose();
        Assert.False(gone.Change(TimeSpan.Zero, Never));
        using ITimer end = Timer("end", 800);
        Assert.Equal("end", Next());
        Assert.True(taken.Change(TimeSpan.Zero, Never));
        Assert.Equal("taken", Next());
    }

    [Fact]
    public void OneSetByACallbackFires()
    {
        ITimer? chain = null;
        int left = 3;
        using (chain = TimerThread.Shared.CreateTimer(_ => Link(), null, Never, Never))
        {
            chain.Change(TimeSpan.Zero, Never);
            Assert.Equal(["3", "2", "1"], [Next(), Next(), Next()]);
        }

        void Link()
        {
            _fired.Add($"{left}");
            if (--left > 0)
            {
                chain!.Change(TimeSpan.FromMilliseconds(1), Never);
            }
        }
    }

    [Fact]
    public async Task ManySetFromManyThreadsEachFireOnce()
    {
        const int Threads = 4, Each = 500;
        int[] fired = new int[Threads * Each];
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                int which = (thread * Each) + i;
                ITimer timer = TimerThread.Shared.CreateTimer(
                    _ => Interlocked.Increment(ref fired[which]),
                    null,
                    TimeSpan.FromMilliseconds(1_000),
                    Never);
                timer.Change(TimeSpan.FromMilliseconds(which % 40), Never);
            }
        })));
        Assert.True(SpinWait.SpinUntil(() => Array.TrueForAll(fired, times => times > 0), Patience));
        using ITimer end = Timer("end", 1_100);
        Assert.Equal("end", Next());
        Assert.All(fired, times => Assert.Equal(1, times));
    }

    [Fact]
    public void NegativeTimesAreRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TimerThread.Shared.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(-2), Never));

    private ITimer Timer(string name, int afterMs) => TimerThread.Shared.CreateTimer(_ => _fired.Add(name), null, TimeSpan.FromMilliseconds(afterMs), Never);

    private string Next() => _fired.TryTake(out string? name, Patience) ? name : "nothing";
}
