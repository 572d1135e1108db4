using DistTrain.Akka.Leading;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Leading;

public sealed class NoteOutboxTests
{
    [Fact]
    public void WhatWasTakenIsNotSentAgain()
    {
        NoteOutbox outbox = new(run: 3);
        outbox.Add([1]).Sequence.ShouldBe(1);
        outbox.Add([2]);
        outbox.Add([3]);
        outbox.Taken(2);
        outbox.Waiting.Select(note => note.Sequence).ShouldBe([3L]);
        outbox.Lost.ShouldBe(0);
    }

    [Fact]
    public void WhoTakesNoneForTooLongIsToldWhichAreGone()
    {
        NoteOutbox outbox = new(run: 3);
        for (int i = 0; i < 10_003; i++)
        {
            outbox.Add([]);
        }

        outbox.Lost.ShouldBe(3);
        outbox.Waiting.First().Sequence.ShouldBe(4, "The first one that is kept follows the last one that is lost.");
    }
}
