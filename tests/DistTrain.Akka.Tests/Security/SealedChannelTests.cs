using DistTrain.Akka.Security;
using DistTrain.Akka.Tests.Support;
using DistTrain.Numerics;
using DistTrain.Protocol.Wire;
using Google.Protobuf;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Security;

public sealed class SealedChannelTests
{
    [Fact]
    public void WhatIsSealedAtOneEndOpensAtTheOtherAndHidesItsContents()
    {
        (SealedChannel one, SealedChannel other) = Pair(TestCluster.Secret, TestCluster.Secret);
        ByteString sent = ByteString.CopyFromUtf8("weights, many weights"), onWire = Seal(one, sent);
        onWire.ToStringUtf8().ShouldNotContain("weights");
        other.Open(onWire).ShouldBe(sent);
        one.Open(Seal(other, sent)).ShouldBe(sent);
    }

    [Fact]
    public void AChangedRepeatedOrReorderedPayloadIsRefused()
    {
        (SealedChannel one, SealedChannel other) = Pair(TestCluster.Secret, TestCluster.Secret);
        ByteString first = Seal(one, ByteString.CopyFromUtf8("first"));
        byte[] changed = first.ToByteArray();
        changed[^1] ^= 1;
        Should.Throw<FrameException>(() => other.Open(ByteString.CopyFrom(changed)));

        (one, other) = Pair(TestCluster.Secret, TestCluster.Secret);
        first = Seal(one, ByteString.CopyFromUtf8("first"));
        other.Open(first);
        Should.Throw<FrameException>(() => other.Open(first));

        (one, other) = Pair(TestCluster.Secret, TestCluster.Secret);
        Seal(one, ByteString.CopyFromUtf8("first"));
        Should.Throw<FrameException>(() => other.Open(Seal(one, ByteString.CopyFromUtf8("second"))));
    }

    [Fact]
    public void AnotherSecretIsRefused() =>
        Should.Throw<FrameException>(() => Pair(TestCluster.Secret, "fedcba9876543210fedcba9876543210")).Message.ShouldContain("secret");

    [Fact]
    public void AShortSecretIsRefusedByName() =>
        Should.Throw<InvalidInputException>(() => ClusterSecret.Of("secret")).Message.ShouldStartWith(ClusterSecret.Variable);

    [Fact]
    public void AProofCannotBeSentBackToWhoeverMadeIt()
    {
        SealedChannel one = new(ClusterSecret.Of(TestCluster.Secret), connects: true);
        byte[] proof = one.OnHello(one.Hello());
        Should.Throw<FrameException>(() => one.OnProof(proof));
    }

    private static ByteString Seal(SealedChannel channel, ByteString payload)
    {
        ByteString? written = null;
        channel.Seal(payload, bytes =>
        {
            written = bytes;
            return true;
        });
        return written!;
    }

    private static (SealedChannel Connects, SealedChannel Accepts) Pair(string one, string other)
    {
        SealedChannel connects = new(ClusterSecret.Of(one), connects: true), accepts = new(ClusterSecret.Of(other), connects: false);
        byte[] fromConnecting = connects.OnHello(accepts.Hello()), fromAccepting = accepts.OnHello(connects.Hello());
        accepts.OnProof(fromConnecting);
        connects.OnProof(fromAccepting);
        return (connects, accepts);
    }
}
