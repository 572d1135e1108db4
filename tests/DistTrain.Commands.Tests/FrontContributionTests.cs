using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Tests;

public sealed class FrontContributionTests : IDisposable
{
    private const string Loss = "loss: cross-entropy";
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void ItsSettingsAreReadAndWrittenBackAsTheyAre()
    {
        _bench.RunChanged(Loss, $"{Loss}\nmethod: {{ name: front-contribution, form: gram, collapse: input, shares: 2 }}", "--out", "run").ShouldBe(0, _bench.Error);
        MethodSettings method = new("front-contribution") { Form = ContributionForm.Gram, Shares = 2 };
        _bench.Engine.Requests.Single().Settings.Method.ShouldBe(method);
        _bench.Run("train", _bench.At("run", "experiment.yaml"), "--out", "again").ShouldBe(0, _bench.Error);
        _bench.Engine.Requests[1].Settings.Method.ShouldBe(method);
    }

    [Theory]
    [InlineData(Loss, "method: { name: front-contribution, form: gramm }", "my.yaml:11: method.form: 'gramm' is not known; expected gram, ")]
    [InlineData(Loss, "method: { name: front-contribution, shares: 0 }", "method.shares: 0 is out of range; expected a whole number from 1 to 64")]
    [InlineData(Loss, "method: { name: front-contribution, form: basis, shares: 2 }", "method.shares: 2: a basis is made of whole rows")]
    [InlineData(Loss, "method: { name: backprop, form: gram }", "method.form: only front-contribution has this setting; expected name: front-contribution, or no form")]
    [InlineData(Loss, "method: front-contribution\nreplicas: 2", "replicas: 2: under front-contribution one final-layer actor trains alone; expected 1")]
    [InlineData(Loss, "method: front-contribution\nstages: 1", "stages: front-contribution takes the first stage out of training")]
    public void WhatItCannotServeIsRefusedAtItsKeyWithWhatWouldWork(string line, string more, string message)
    {
        _bench.RunChanged(line, $"{line}\n{more}").ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.LeftBehind("my.yaml").ShouldBeEmpty();
    }

    [Fact]
    public void CollapseAllIsReadAndWrittenBack()
    {
        _bench.RunChanged(Loss, $"{Loss}\nmethod: {{ name: front-contribution, collapse: all }}", "--out", "run").ShouldBe(0, _bench.Error);
        _bench.Run("train", _bench.At("run", "experiment.yaml"), "--out", "again").ShouldBe(0, _bench.Error);
        _bench.Engine.Requests.ShouldAllBe(request => request.Settings.Method.Collapse == Collapse.All);
    }

    [Theory]
    [InlineData("name: sgd", "name: adam", "optimizer.name: adam divides by each weight's own history")]
    [InlineData("  - dense: { units: 4, activation: relu }", "  - dropout: { rate: 0.5 }\n  - dense: { units: 4, activation: relu }", "network[0]: dropout changes the inputs at every step")]
    public void OptimizersAndNetworksThatItIsNotExactForAreRefused(string line, string replacement, string message)
    {
        _bench.Write("my.yaml", Bench.Good.Replace(line, replacement, StringComparison.Ordinal) + "\nmethod: front-contribution");
        _bench.Run("train", "my.yaml").ShouldBe(2);
        _bench.Error.ShouldContain(message);
        _bench.Error.ShouldContain("method backprop");
    }

    [Fact]
    public void TheSummarySaysWhatItDidAndIsReadBack()
    {
        _bench.RunChanged(Loss, Loss, "--out", "run").ShouldBe(0, _bench.Error);
        RunSummary plain = RunSummary.Read(_bench.At("run", "summary.json")).ShouldNotBeNull();
        plain.FrontContribution.ShouldBeNull();
        FrontContributionOutcome front = new(ContributionForm.Basis, 1, 17, 2, 0);
        string file = _bench.At("front.json");
        File.WriteAllText(file, (plain with { FrontContribution = front }).ToJson());
        File.ReadAllText(file).ShouldContain("\"messages_while_alone\": 0");
        RunSummary.Read(file).ShouldNotBeNull().FrontContribution.ShouldBe(front);
    }
}
