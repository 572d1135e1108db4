using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Links;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Links;

public sealed class LinkTests
{
    private const int Window = 8;

    [Fact]
    public void OverLossDuplicationAndReorderingEveryMessageArrivesOnceAndInOrder()
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            RandomStream random = new(seed, RandomPurpose.Faults);
            long draw = 0, sent = 0, expected = 1;
            Link sender = new(new ActorId(1), Window), receiver = new(new ActorId(0), Window);
            List<Envelope> wire = [];
            while (expected <= 50)
            {
                if (sent < 50 && sender.Unacknowledged.Count < Window && random.Below(draw++, 2) == 0)
                {
                    Envelope envelope = Envelope(sender.NextSequence(), ++sent);
                    sender.Sent(envelope);
                    wire.Add(envelope);
                }

                if (sender.Waits && random.Below(draw++, 4) == 0)
                {
                    wire.AddRange(sender.Unacknowledged);
                }

                if (wire.Count > 0)
                {
                    int chosen = random.Below(draw++, wire.Count);
                    Envelope arriving = wire[chosen];
                    if (random.Below(draw++, 3) != 0)
                    {
                        wire.RemoveAt(chosen);
                    }

                    if (random.Below(draw++, 4) != 0)
                    {
                        Deliver(receiver, arriving, ref expected);
                    }
                }

                if (random.Below(draw++, 3) == 0)
                {
                    while (sender.TryAcknowledge(receiver.Delivered, out _))
                    {
                    }
                }
            }

            receiver.Delivered.ShouldBe(50);
            receiver.Early.ShouldBeEmpty();
        }
    }

    [Fact]
    public void AFullWindowIsABrokenCreditRule()
    {
        Link link = new(new ActorId(1), Window);
        for (int i = 0; i < Window; i++)
        {
            link.HasRoom.ShouldBe(i <= Window / 2);
            link.Sent(Envelope(link.NextSequence(), i));
        }

        Should.Throw<InvariantException>(() => link.Sent(Envelope(link.NextSequence(), 9)));
    }

    [Fact]
    public void AMessageBeyondTheOtherEndsWindowIsABrokenCreditRule() =>
        Should.Throw<InvariantException>(() => new Link(new ActorId(1), Window).Arrive(Envelope(Window + 1, 1)));

    [Fact]
    public void RetriesBackOffToTheCapAndStartAnewWithEveryAcknowledgement()
    {
        Link link = new(new ActorId(1), Window);
        link.Sent(Envelope(link.NextSequence(), 1));
        link.Sent(Envelope(link.NextSequence(), 2));
        ResendTicks(link, 32).ShouldBe([2, 4, 8, 16, 32]);
        link.RetriesRarely.ShouldBeTrue();
        link.TryAcknowledge(1, out Envelope? first).ShouldBeTrue();
        first.Sequence.ShouldBe(1);
        link.TryAcknowledge(1, out _).ShouldBeFalse();
        link.RetriesRarely.ShouldBeFalse();
        ResendTicks(link, 10).ShouldBe([2, 4, 8]);
    }

    [Fact]
    public void PatienceEndsAfterSoManyIntervalsWithoutProgress()
    {
        Link link = new(new ActorId(1), Window);
        link.Sent(Envelope(link.NextSequence(), 1));
        link.Sent(Envelope(link.NextSequence(), 2));
        ResendTicks(link, 10);
        link.IsOutOfPatience(10).ShouldBeFalse();
        ResendTicks(link, 1);
        link.IsOutOfPatience(10).ShouldBeTrue();
        link.TryAcknowledge(1, out _).ShouldBeTrue();
        link.IsOutOfPatience(10).ShouldBeFalse();
    }

    [Fact]
    public void PatienceWithRareRetriesNeverEndsEarly()
    {
        int fast = 32, rare = (int)(Limits.RetryCap / Limits.RetryFirst);
        Link link = new(new ActorId(1), Window);
        link.Sent(Envelope(link.NextSequence(), 1));
        ResendTicks(link, fast);

        // The timer may have been about to fire when this link came to it.
        link.TickRarely();
        link.IsOutOfPatience(fast).ShouldBeFalse();
        link.TickRarely();
        link.IsOutOfPatience(fast + rare).ShouldBeFalse();
        link.IsOutOfPatience(fast + rare - 1).ShouldBeTrue();
    }

    [Fact]
    public void EachTimerKeepsToItsLinks()
    {
        Link link = new(new ActorId(1), Window);
        link.Sent(Envelope(link.NextSequence(), 1));
        Should.Throw<InvariantException>(link.TickRarely);
        ResendTicks(link, 32);
        Should.Throw<InvariantException>(() => link.Tick());
    }

    [Fact]
    public void WhatEveryStepBringsIsAcknowledgedTogether()
    {
        Link link = new(new ActorId(1), 2 * Limits.AcknowledgedTogetherMax);
        link.OwesAcknowledgement.ShouldBeFalse();
        for (int sequence = 1; sequence < Limits.AcknowledgedTogetherMax; sequence++)
        {
            link.Arrive(Envelope(sequence, new Committed(sequence)));
            link.OwesAcknowledgement.ShouldBeTrue();
            link.OwesAcknowledgementNow.ShouldBeFalse();
        }

        link.Arrive(Envelope(Limits.AcknowledgedTogetherMax, new Committed(0)));
        link.OwesAcknowledgementNow.ShouldBeTrue();
        link.Acknowledges();
        link.OwesAcknowledgement.ShouldBeFalse();
        link.OwesAcknowledgementNow.ShouldBeFalse();
    }

    [Fact]
    public void SendersOfTensorsHearSooner()
    {
        Link link = new(new ActorId(1), Window);
        for (int sequence = 1; sequence <= Limits.TensorsAcknowledgedTogetherMax; sequence++)
        {
            link.OwesAcknowledgementNow.ShouldBeFalse();
            link.Arrive(Envelope(sequence, new Activation(sequence, 0, -1, new BufferHandle(1, 1))));
        }

        link.OwesAcknowledgementNow.ShouldBeTrue();
    }

    [Fact]
    public void WhatSomebodyWaitsForAndWhatCameAgainIsAcknowledgedAtOnce()
    {
        Link link = new(new ActorId(1), Window);
        link.Arrive(Envelope(1, 1));
        link.OwesAcknowledgementNow.ShouldBeTrue();
        link.Acknowledges();
        link.Arrive(Envelope(2, new Committed(1)));
        link.OwesAcknowledgementNow.ShouldBeFalse();
        link.Arrive(Envelope(1, new Committed(1))).ShouldBe(Arrival.Duplicate);
        link.OwesAcknowledgementNow.ShouldBeTrue();
    }

    private static int[] ResendTicks(Link link, int ticks) => [.. Enumerable.Range(1, ticks).Where(_ => link.Tick())];

    private static void Deliver(Link receiver, Envelope arriving, ref long expected)
    {
        switch (receiver.Arrive(arriving))
        {
            case Arrival.Early:
                receiver.KeepEarly(arriving);
                break;
            case Arrival.Next:
                ((Drain)arriving.Message).LastStep.ShouldBe(expected++);
                while (receiver.TryTakeNext(out Envelope? next))
                {
                    ((Drain)next.Message).LastStep.ShouldBe(expected++);
                }

                break;
        }
    }

    private static Envelope Envelope(long sequence, long content) => Envelope(sequence, new Drain(content));

    private static Envelope Envelope(long sequence, Message message) => new(1, 1, new ActorId(0), 1, new ActorId(1), 1, sequence, 0, message);
}
