using DistTrain.Conformance.Support;
using DistTrain.Engines.Simulated;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Simulated;

public sealed class EventQueueTests
{
    [Fact]
    public void EventsComeByTimeAndThoseOfOneTimeInTheirOrder()
    {
        Draw draw = new(1);
        EventQueue queue = new();
        List<(long At, int Number)> expected = [], taken = [];
        for (int number = 0; number < 20_000; number++)
        {
            long at = draw.Below(500);
            queue.Add(at, new SimulatedEvent { Number = number });
            expected.Add((at, number));
        }

        while (queue.TryTake(out long at, out SimulatedEvent what))
        {
            taken.Add((at, what.Number));
        }

        taken.ShouldBe(expected.OrderBy(entry => entry.At).ThenBy(entry => entry.Number));
    }

    [Fact]
    public void WhatIsPutInWhileEventsAreTakenOutComesInItsPlace()
    {
        Draw draw = new(2);
        EventQueue queue = new();
        queue.Add(0, default);
        long last = 0, taken = 0;
        while (queue.TryTake(out long at, out _) && taken < 50_000)
        {
            at.ShouldBeGreaterThanOrEqualTo(last);
            (last, taken) = (at, taken + 1);
            for (int more = draw.Below(4) - (queue.Count > 1_000 ? 2 : 0); more > 0; more--)
            {
                queue.Add(at + draw.Below(100), default);
            }

            if (queue.Count == 0)
            {
                queue.Add(at + 1, default);
            }
        }

        taken.ShouldBe(50_000);
    }
}
