using DistTrain.Dashboard.Server;

namespace DistTrain.Dashboard.Tests;

public sealed class ViewPaceTests
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(400), First = TimeSpan.FromMilliseconds(100);
    private readonly Clock _time = new();

    [Fact]
    public void AViewThatIsQuicklyMadeIsLookedAtAsOftenAsAsked() => RestAfter(TimeSpan.FromMilliseconds(0.1), readers: 1).ShouldBe(Between);

    [Fact]
    public void AViewThatTakesLongIsLookedAtInABoundedShareOfTheTimeWhateverTheNumberOfReaders()
    {
        RestAfter(TimeSpan.FromMilliseconds(4), readers: 1).ShouldBe(TimeSpan.FromMilliseconds(800));
        RestAfter(TimeSpan.FromMilliseconds(4), readers: 3).ShouldBe(TimeSpan.FromMilliseconds(2400));
    }

    [Fact]
    public void APageNeverStandsStillForLong() => RestAfter(TimeSpan.FromSeconds(1), readers: 50).ShouldBe(TimeSpan.FromSeconds(3));

    /// <summary>How long a view is not looked at.</summary>
    private TimeSpan RestAfter(TimeSpan took, int readers)
    {
        ViewPace pace = new(_time, Between, First);
        pace.IsDue.ShouldBeTrue();
        pace.Looked(TimeSpan.FromSeconds(1), readers);
        _time.Now += First;
        pace.IsDue.ShouldBeTrue();
        pace.Looked(took, readers);
        TimeSpan rested = TimeSpan.Zero;
        for (TimeSpan step = TimeSpan.FromMilliseconds(100); !pace.IsDue; rested += step)
        {
            _time.Now += step;
        }

        return rested;
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
