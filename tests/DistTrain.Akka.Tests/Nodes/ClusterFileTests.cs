using System.Globalization;
using System.Net;
using System.Net.Sockets;
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
    [InlineData("disttrain.data-plane.port = 4711", "disttrain.data-plane.port", "another port")]
    [InlineData("disttrain.cluster.seeds = \"host:1\"", "disttrain.cluster.seeds", "a list of texts")]
    [InlineData("disttrain.cluster.name = \"my cluster\"", "disttrain.cluster.name", "letters, digits")]
    [InlineData("disttrain.node.host = \"0.0.0.0\"", "disttrain.node.host", "bind-host")]
    [InlineData("disttrain.node.hst = x", "disttrain.node.hst", "there is no such key; expected disttrain.node.bind-host")]
    [InlineData("disttrain { node = x }", "disttrain.node", "expected a section")]
    [InlineData("disttrain.telemetry.endpoint = \"not a url\"", "disttrain.telemetry.endpoint", "http://")]
    [InlineData("akka = 5", "akka", "expected a section")]
    [InlineData("foo = 1", "'foo'", "disttrain and akka")]
    [InlineData("disttrain {\n  node { port = 1", "line 2", "'{' has no end")]
    [InlineData("disttrain { node.port = 1 }\n}", "line 2", "'}' ends nothing")]
    [InlineData("disttrain.node.host = \"a", "line 1", "a text has no end")]
    [InlineData("disttrain.data-plane.mode = udp", "disttrain.data-plane.mode", "tcp or remote")]
    [InlineData("disttrain.node.capacity = many", "disttrain.node.capacity", "whole number")]
    public void AWrongSettingIsRefusedWithFileKeyAndWhatWouldBeRight(string text, string key, string expected)
    {
        string message = Should.Throw<InvalidInputException>(() => ClusterFile.Parse(text, "my.conf", "/")).Message;
        message.ShouldStartWith("my.conf: ");
        message.ShouldContain(key);
        message.ShouldContain(expected);
    }

    [Theory]
    [InlineData("disttrain.node.port = {0}", "disttrain.node.port", "is in use")]
    [InlineData("disttrain {{ node.port = 0, data-plane.port = {0} }}", "disttrain.data-plane.port", "is in use")]
    [InlineData("disttrain.node {{ port = 0, bind-host = \"192.0.2.1\" }}", "disttrain.node.bind-host", "no address of this machine")]
    [InlineData("disttrain.node {{ port = 0, bind-host = \"no-such-host.invalid\" }}", "disttrain.node.bind-host", "resolves to no address")]
    public void WhereANodeCannotListenItSaysSoByKey(string text, string key, string expected)
    {
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        string config = string.Format(CultureInfo.InvariantCulture, text, ((IPEndPoint)other.LocalEndPoint!).Port);
        NodeSettings settings = ClusterFile.Parse(config, "my.conf", "/");
        Should.Throw<InvalidInputException>(() => ListenAddress.Check(settings, "my.conf")).Message.ShouldSatisfyAllConditions(
            message => message.ShouldStartWith($"my.conf: {key}: "), message => message.ShouldContain(expected));
    }

    [Fact]
    public void BracesInTextsAndCommentsNeedNoEnd() =>
        ClusterFile.Parse("# {\n// [\ndisttrain.telemetry { endpoint = \"http://x:1/{y}\" } // }", "my.conf", "/").TelemetryEndpoint.ShouldBe("http://x:1/{y}");

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
    public void TheSettingsOfAContainerComeFromItsEnvironment()
    {
        string text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "node.conf"));
        Should.Throw<InvalidInputException>(() => ClusterFile.Parse(text, "node.conf", "/")).Message.ShouldContain("DISTTRAIN_HOST");
        Environment.SetEnvironmentVariable("DISTTRAIN_HOST", "worker-1");
        Environment.SetEnvironmentVariable("DISTTRAIN_SEED_1", "worker-1:4711");
        Environment.SetEnvironmentVariable("DISTTRAIN_SEED_2", "worker-2:4711");
        NodeSettings settings = ClusterFile.Parse(text, "node.conf", "/");
        (settings.Host, settings.BindHost, settings.TelemetryEndpoint).ShouldBe(("worker-1", "0.0.0.0", ""));
        settings.Seeds.ShouldBe(["worker-1:4711", "worker-2:4711"]);
    }

    [Fact]
    public void WhatTheEnvironmentSaysCanStandInTheFile()
    {
        Environment.SetEnvironmentVariable("DISTTRAIN_TEST_HOST", "worker-7");
        ClusterFile.Parse("disttrain.node { host = ${DISTTRAIN_TEST_HOST} }", "my.conf", "/").Host.ShouldBe("worker-7");
    }
}
