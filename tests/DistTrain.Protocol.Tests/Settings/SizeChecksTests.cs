using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Settings;

public sealed class SizeChecksTests
{
    [Theory]
    [InlineData(65_536, Precision.Float32, "layer 1: a weight of 65536 × 65536 values, with its optimizer's state, takes 16 GiB; expected at most 2 GiB")]
    [InlineData(60_000, Precision.Float32, "layer 1: a weight of 60000 × 60000 values, with its optimizer's state, takes 13.41 GiB")]
    [InlineData(17_000, Precision.Float64, "layer 1: a weight of 17000 × 17000 values, with its optimizer's state, takes 2.15 GiB")]
    [InlineData(10_000_000, Precision.Float32, "layer 0: what 256 rows make in its stage takes")]
    public void ALayerThatFitsNoBufferIsRefused(int units, Precision precision, string problem)
    {
        SettingsProblem refused = SettingsChecks.Problems(Settings(units, precision, stages: [1, 1, 1]), 100).ShouldHaveSingleItem();
        refused.Key.ShouldBe("network");
        refused.Message.ShouldStartWith(problem);
    }

    [Fact]
    public void WhatFitsIsServed() => SettingsChecks.Problems(Settings(16_000, Precision.Float32, stages: [1, 1, 1]), 100).ShouldBeEmpty();

    [Fact]
    public void OptimizerStateAndSlicesThatFitNoBufferAreRefused()
    {
        RunSettings settings = Settings(17_000, Precision.Float32, stages: [1, 1, 1]) with { Optimizer = OptimizerDefaults.For(OptimizerKind.Adam, 0.1) };
        SettingsChecks.Problems(settings, 100).ShouldHaveSingleItem().Message.ShouldContain("17000 × 17000");

        RunSettings together = Settings(17_000, Precision.Float32, stages: [4], extra: 1);
        SettingsChecks.Problems(together, 100).ShouldBeEmpty();
        Should.Throw<InvalidInputException>(() => new RunPlan(together, 100, 0)).Message.ShouldBe(
            "stages: the tensors of stage 0 on shard 0, with their optimizer's state, take 2.15 GiB; expected at most 2 GiB, by more stages or a larger parameter-server.shards");
    }

    [Fact]
    public void ASliceThatFitsNoFrameIsRefusedBetweenProcesses()
    {
        SizeChecks.FrameProblem(new RunPlan(Settings(16_000, Precision.Float32, stages: [1, 1, 1]), 100, 0)).ShouldBeNull();
        SettingsProblem refused = SizeChecks.FrameProblem(new RunPlan(Settings(17_000, Precision.Float32, stages: [1, 1, 1]), 100, 0)).ShouldNotBeNull();
        refused.Message.ShouldStartWith("the tensors of stage 1 on shard 0 take 1.08 GiB; expected at most 0.98 GiB between processes");
    }

    private static RunSettings Settings(int units, Precision precision, int[] stages, int extra = 0) => new()
    {
        Name = "large",
        Precision = precision,
        Network = new NetworkSpec(
            4, [.. Enumerable.Repeat(new DenseSpec(units, ActivationKind.Tanh), 2 + extra), new DenseSpec(3, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1),
        Training = new TrainingSettings(1, 10, 1),
        Stages = stages,
    };
}
