using System.Collections.Concurrent;
using Akka.Actor;
using DistTrain.Akka.Clients;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Tests.Support;
using DistTrain.Akka.Wire;
using DistTrain.Data;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Clients;

public sealed class ClientActorTests : IDisposable
{
    private const long RunId = 7;
    private static readonly long FirstRun = ClusterJob.RunOf(RunId, 1), NextRun = ClusterJob.RunOf(RunId, 2);

    private readonly ActorSystem _system = ActorSystem.Create("clients");
    private readonly BlockingCollection<ClusterMessage> _heard = [];
    private readonly IActorRef _client;

    public ClientActorTests()
    {
        ClusterTarget target = new("disttrain", ["127.0.0.1:1"], "127.0.0.1", ".", null, ClusterSecret.Of(TestCluster.Secret));
        ClusterJob job = new(RunId, "test", "", 1, Precision.Float32, new DataFacts("test", 1, 0, 1, 1, null), [], 1, null, "", false, false);
        _client = _system.ActorOf(Props.Create(() => new ClientActor(target, job, null, _heard.Add)));
    }

    public void Dispose()
    {
        _system.Terminate().Wait(TestCluster.Patience);
        _heard.Dispose();
    }

    [Fact]
    public void WhenTheFirstWordOfANewLeaderIsLostItsNotesAreBelievedAllTheSame()
    {
        Tell(new Accepted(FirstRun), new RunNote(FirstRun, 1, [1]), new RunNote(NextRun, 1, [2]), new RunNote(FirstRun, 2, [3]), new RunNote(NextRun, 2, [4]));
        ShouldHear<Accepted>().Run.ShouldBe(FirstRun);
        ShouldHear<RunNote>().Note.ShouldBe([1]);
        ShouldHear<Accepted>().Run.ShouldBe(NextRun);
        ShouldHear<RunNote>().Note.ShouldBe([2]);
        ShouldHear<RunNote>().Note.ShouldBe([4], "A leader that was replaced is heeded no more.");
    }

    [Fact]
    public void NotesThatTheLeaderDoesNotKeepAnyMoreAreCountedAndThoseBehindThemTaken()
    {
        Tell(
            new Accepted(FirstRun), new RunNote(FirstRun, 1, [1]), new RunNote(FirstRun, 6, [6]), new NotesLost(FirstRun, 5), new NotesLost(FirstRun, 5),
            new RunNote(FirstRun, 6, [6]));
        ShouldHear<Accepted>();
        ShouldHear<RunNote>().Sequence.ShouldBe(1);
        ShouldHear<NotesLost>().Sequence.ShouldBe(4, "So many, of which the client has none.");
        ShouldHear<RunNote>().Sequence.ShouldBe(6);
    }

    [Fact]
    public void WhatConcernsAnotherRunIsHeardByNobody()
    {
        long other = ClusterJob.RunOf(RunId + 1, 5);
        Tell(new Accepted(FirstRun), new RunNote(other, 1, [1]), new NotesLost(other, 3), new RunOver(other, [], [], []), new RunNote(FirstRun, 1, [2]));
        ShouldHear<Accepted>();
        ShouldHear<RunNote>().Note.ShouldBe([2]);
    }

    private void Tell(params ClusterMessage[] messages)
    {
        foreach (ClusterMessage message in messages)
        {
            _client.Tell(message, ActorRefs.NoSender);
        }
    }

    private T ShouldHear<T>()
        where T : ClusterMessage
    {
        _heard.TryTake(out ClusterMessage? message, TestCluster.Patience).ShouldBeTrue();
        return message.ShouldBeOfType<T>();
    }
}
