using DistTrain.Akka.Configuration;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Nodes;

public sealed class ClusterFileTests
{
    [Theory]
    [InlineData("disttrain.node.port = 70000", "disttrain.node.port", "70000")]
    [InlineData("disttrain.node.roles = [worker, boss]", "disttrain.node.roles", "boss")]
    [InlineData("disttrain.cluster.seeds = [\"host\"]", "disttrain.cluster.seeds", "host:port")]
    [InlineData("disttrain.data-plane.mode = udp", "disttrain.data-plane.mode", "tcp or remote")]
    [InlineData("disttrain.node.capacity = many", "disttrain.node.capacity", "whole number")]
    public void AWrongSettingIsRefusedWithFileKeyAndWhatWouldBeRight(string text, string key, string expected)
    {
        string message = Should.Throw<InvalidInputException>(() => ClusterFile.Parse(text, "my.conf", "/")).Message;
        message.ShouldStartWith("my.conf: ");
        message.ShouldContain(key);
        message.ShouldContain(expected);
    }

    [Fact]
    public void TheExplainedFileSaysWhatTheProgramDoesWithoutIt()
    {
        string text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "cluster.conf"));
        NodeSettings explained = ClusterFile.Parse(text, "cluster.conf", "/conf"), otherwise = ClusterFile.Parse("", "none", "/conf");
        explained.Seeds.ShouldBe(["127.0.0.1:4711"]);
        explained.Roles.ShouldBe(otherwise.Roles);
        (explained with { Seeds = otherwise.Seeds, Roles = otherwise.Roles, Akka = otherwise.Akka }).ShouldBe(otherwise);
    }

    [Fact]
    public void WhatTheEnvironmentSaysCanStandInTheFile()
    {
        Environment.SetEnvironmentVariable("DISTTRAIN_TEST_HOST", "worker-7");
        ClusterFile.Parse("disttrain.node { host = ${DISTTRAIN_TEST_HOST} }", "my.conf", "/").Host.ShouldBe("worker-7");
    }
}
