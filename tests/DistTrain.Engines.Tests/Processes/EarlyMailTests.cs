using DistTrain.Engines.Processes;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Messages;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Processes;

public sealed class EarlyMailTests
{
    private readonly EarlyMail _mail = new();
    private readonly List<Envelope> _delivered = [];

    [Fact]
    public void WhatComesBeforeTheLifeAndTheEpochThatItIsForWaitsForBoth()
    {
        Come(Of(epoch: 1, sequence: 2));
        Come(Begin(epoch: 1));
        _delivered.ShouldBeEmpty();
        Spawn(incarnation: 1);

        // The begin-epoch came later and goes first.
        _delivered.Select(envelope => envelope.Message.GetType()).ShouldBe([typeof(BeginEpoch), typeof(Committed)]);
    }

    [Fact]
    public void WhatIsOfThisEpochOrAnEarlierOnePassesAtOnce()
    {
        Spawn(incarnation: 2);
        Come(Begin(epoch: 3, incarnation: 2));
        Come(Of(epoch: 3, sequence: 1, incarnation: 2));
        Come(Of(epoch: 2, sequence: 9, incarnation: 2));
        Come(Of(epoch: 3, sequence: 9, incarnation: 1));
        _delivered.Count.ShouldBe(4);
    }

    [Fact]
    public void WhatIsOfANewerRunWaitsForItsLife()
    {
        Spawn(incarnation: 5);
        Come(Begin(epoch: 1, run: 2));
        _delivered.ShouldBeEmpty();
        _mail.OnSpawned(2, 1, _delivered.Add);
        _delivered.Count.ShouldBe(1);
    }

    [Fact]
    public void WhatWaitsIsBoundedAndTheOldestGoesFirst()
    {
        for (int sequence = 1; sequence <= ProcessesLimits.EarlyMessagesMax + 3; sequence++)
        {
            Come(Of(epoch: 1, sequence));
        }

        _delivered.Select(envelope => envelope.Sequence).ShouldBe([1, 2, 3]);
    }

    private static Envelope Begin(int epoch, int incarnation = 1, long run = 1) =>
        new(run, epoch, ActorId.Coordinator, 1, new ActorId(1), incarnation, 1, 0, new BeginEpoch(0, [1, 1], []));

    private static Envelope Of(int epoch, long sequence, int incarnation = 1) =>
        new(1, epoch, new ActorId(2), 1, new ActorId(1), incarnation, sequence, 0, new Committed(sequence));

    private void Spawn(int incarnation) => _mail.OnSpawned(1, incarnation, _delivered.Add);

    private void Come(Envelope envelope) => _mail.OnMessage(envelope, _delivered.Add);
}
