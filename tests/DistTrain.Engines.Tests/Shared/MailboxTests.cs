using DistTrain.Conformance.Support;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Effects;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

public sealed class MailboxTests
{
    [Fact]
    public void StimuliComeOutInTheOrderInWhichTheyCameIn()
    {
        Mailbox mailbox = new();
        Queue<int> expected = new();
        Draw draw = new(1);
        for (int next = 1; next <= 2_000; next++)
        {
            // It fills and empties again, so that the ring wraps and grows at every position.
            if (draw.Chance(next % 400 < 200 ? 0.7 : 0.3))
            {
                mailbox.Add(Timer(next));
                expected.Enqueue(next);
            }
            else if (expected.TryDequeue(out int oldest))
            {
                mailbox.Take().Timer.ShouldBe(oldest);
            }

            mailbox.Count.ShouldBe(expected.Count);
        }
    }

    [Fact]
    public void WhatIsMovedStandsBehindWhatIsThere()
    {
        Mailbox first = new(), second = new();
        for (int timer = 0; timer < 30; timer++)
        {
            (timer < 13 ? first : second).Add(Timer(timer));
        }

        second.MoveTo(first);
        second.Count.ShouldBe(0);
        Enumerable.Range(0, first.Count).Select(_ => first.Take().Timer).ShouldBe(Enumerable.Range(0, 30));
    }

    private static Stimulus Timer(int number) => new(StimulusKind.Timer) { Timer = number };
}
