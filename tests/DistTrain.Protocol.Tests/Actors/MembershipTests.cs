using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Actors;

public sealed class MembershipTests
{
    private readonly Topology _topology = new(replicas: 1, stages: 2, shards: 1);

    [Fact]
    public void TheNewestRecordAloneIsWantedAndOnlyWhoIsNewIsStarted()
    {
        Membership membership = new(_topology);
        MembershipRecord all = membership.StartAll(1, 3);
        all.Incarnations.ShouldBe([3, 1, 1, 1]);
        membership.TryReplace(new ActorId(1), 2, out MembershipRecord? first).ShouldBeTrue();
        membership.TryReplace(new ActorId(1), 2, out MembershipRecord? second).ShouldBeTrue();
        membership.IsWanted(all).ShouldBeFalse();
        membership.IsWanted(first).ShouldBeFalse();
        membership.IsWanted(second).ShouldBeTrue();
        second.Incarnations.ShouldBe([3, 3, 1, 1]);
        first.Incarnations.ShouldBe([3, 2, 1, 1]);
        EffectList effects = new();
        membership.SpawnChanged(all.Incarnations, second, effects);
        effects.Count.ShouldBe(1);
        (effects[0].Actor, effects[0].Incarnation).ShouldBe((new ActorId(1), 3));
    }

    [Fact]
    public void AShardIsLostWhenItsIncarnationChanges()
    {
        Membership membership = new(_topology);
        MembershipRecord all = membership.StartAll(1, 1);
        membership.TryReplace(new ActorId(2), 2, out MembershipRecord? layer).ShouldBeTrue();
        membership.LosesShard(all.Incarnations, layer).ShouldBeFalse();
        membership.TryReplace(_topology.Shard(0), 2, out MembershipRecord? shard).ShouldBeTrue();
        membership.LosesShard(all.Incarnations, shard).ShouldBeTrue();
    }

    [Fact]
    public void AnActorThatFailsTooOftenIsNotReplacedAgain()
    {
        Membership membership = new(_topology);
        membership.StartAll(1, 1);
        for (int restart = 0; restart < Limits.RestartsPerActorMax; restart++)
        {
            membership.TryReplace(new ActorId(1), 2, out _).ShouldBeTrue();
        }

        membership.TryReplace(new ActorId(1), 2, out MembershipRecord? none).ShouldBeFalse();
        none.ShouldBeNull();
        membership.TryReplace(new ActorId(2), 2, out _).ShouldBeTrue();
    }

    [Fact]
    public void AfterTheLossOfACoordinatorNobodyKeepsAnIncarnation()
    {
        Membership membership = new(_topology, new MembershipRecord(7, [2, 4, 1, 3]));
        membership.HasStarted.ShouldBeFalse();
        MembershipRecord all = membership.StartAll(8, 3);
        (all.Epoch, membership.HasStarted, membership.HasBegun).ShouldBe((8, true, false));
        all.Incarnations.ShouldBe([3, 5, 2, 4]);
        membership.Begun();
        membership.HasBegun.ShouldBeTrue();
    }

    [Fact]
    public void OnlyTheIncarnationThatIsWantedMakesACopyWhole()
    {
        Topology topology = new(replicas: 1, stages: 2, shards: 1, copies: 2);
        ActorId first = topology.Shard(0), second = topology.Shard(0, 1);
        Membership membership = new(topology);
        membership.StartAll(1, 1).Copies.ShouldBe([(int)CopyState.Empty, (int)CopyState.Empty]);
        membership.OnPrepared(second, 1).ShouldBeTrue();
        membership.OnPrepared(second, 1).ShouldBeFalse("it is known");
        membership.TryReplace(second, 2, out _).ShouldBeTrue();
        membership.TryReplace(first, 2, out MembershipRecord? record).ShouldBeTrue();

        // The last copy is waited for although it has nothing; what the one before it says is not about it.
        record.Copies.ShouldBe([(int)CopyState.Empty, (int)CopyState.Absent]);
        membership.OnPrepared(first, 1).ShouldBeFalse();
        membership.Decide(2).Copies.ShouldBe([(int)CopyState.Empty, (int)CopyState.Absent]);
        membership.OnPrepared(first, 2).ShouldBeTrue();
        membership.Decide(2).Copies.ShouldBe([(int)CopyState.Whole, (int)CopyState.Absent]);
    }
}
