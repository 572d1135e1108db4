using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Settings;

/// <summary>Where replicas vote, each has rows in every step: zeros of one without any would count like a gradient.</summary>
public sealed class LastStepTests
{
    [Theory]
    [InlineData(Aggregate.Median, 44, 4)]
    [InlineData(Aggregate.TrimmedMean, 41, 1)]
    [InlineData(Aggregate.Krum, 43, 3)]
    public void ALastStepWithFewerRowsThanVotesIsRefused(Aggregate aggregate, int rows, int left)
    {
        SettingsProblem problem = SettingsChecks.Problems(Settings(aggregate), rows).ShouldHaveSingleItem();
        problem.Key.ShouldBe("training.batch-size");
        problem.Message.ShouldBe(
            $"10 leaves {left} of {rows} rows for an epoch's last step, and each of 5 replicas has a vote there; "
            + "expected a size that leaves none or at least 5, or parameter-server.aggregate: mean");
    }

    [Theory]
    [InlineData(Aggregate.Median, 40)]
    [InlineData(Aggregate.Median, 45)]
    [InlineData(Aggregate.Mean, 41)]
    public void WhatGivesEveryVoteRowsIsServed(Aggregate aggregate, int rows) => SettingsChecks.Problems(Settings(aggregate), rows).ShouldBeEmpty();

    private static RunSettings Settings(Aggregate aggregate) => new()
    {
        Name = "votes",
        Network = new NetworkSpec(4, [new DenseSpec(3, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1),
        Training = new TrainingSettings(1, 10, 1),
        Stages = [1],
        Replicas = 5,
        ParameterServer = new ParameterServerSettings { Aggregate = aggregate, ByzantineMax = 1 },
    };
}
