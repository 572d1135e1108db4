using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Methods;

public sealed class FrontContributionTests
{
    private static readonly RunSettings Good = new()
    {
        Name = "front",
        Network = new NetworkSpec(50, [new DenseSpec(6, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Tanh), new DenseSpec(3, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, Nesterov = true, WeightDecay = 0.01, ClipNorm = 1 },
        Training = new TrainingSettings(10, 8),
        Method = new MethodSettings("front-contribution"),
        Stages = [1, 1, 1],
    };

    public static TheoryData<string, string, string> Refused => new()
    {
        { "adam", "optimizer.name", "sgd" },
        { "rmsprop", "optimizer.name", "sgd" },
        { "tied", "network[2]", "backprop" },
        { "dropout", "network[0]", "backprop" },
        { "replicas", "replicas", "expected 1" },
        { "async", "parameter-server.consistency", "expected sync" },
        { "median", "parameter-server.aggregate", "expected mean" },
        { "fp16", "parameter-server.compression", "expected none" },
        { "one stage", "stages", "at least 2 stages" },
        { "micro-batches", "training.micro-batches", "micro-batches: 1" },
        { "shares", "method.shares", "form: gram" },
        { "tied, all collapsed", "network[2]", "method.collapse: input" },
    };

    [Fact]
    public void MomentumNesterovDecayAndClippingAreServed()
    {
        SettingsChecks.Problems(Good, 40).ShouldBeEmpty();
        SettingsChecks.Problems(Good with { Method = Good.Method with { Collapse = Collapse.All } }, 40).ShouldBeEmpty();
        SettingsChecks.Problems(Good with { Network = First(new MaxoutSpec(6, 2)) }, 40).ShouldBeEmpty();
        SettingsChecks.Problems(Good with { Network = First(new KCompetitiveSpec(6, 2, 1)) }, 40).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void WhatItIsNotExactForIsRefusedByKeyWithWhatWouldWork(string what, string key, string expected)
    {
        SettingsProblem problem = SettingsChecks.Problems(Changed(what), 40).ShouldHaveSingleItem();
        problem.Key.ShouldBe(key);
        problem.Message.ShouldContain(expected);
    }

    [Fact]
    public void OnlyTheFinalLayerActorTakesPartAndItTrainsEverything()
    {
        RunPlan plan = new(Good with { Method = Good.Method with { Shares = 3, Form = ContributionForm.Gram } }, 40, 7);
        plan.Topology.LayerActors.ShouldBe(5);
        plan.Participants.ShouldHaveSingleItem().ShouldBe(plan.Topology.LayerActor(0, 2));
        plan.Topology.NameOf(plan.Topology.ShareActor(0)).ShouldBe("layer-0");
        plan.Topology.NameOf(plan.Topology.ShareActor(2)).ShouldBe("layer-0/share-2");
        Enumerable.Range(1, 5).Select(index => plan.Topology.ShareOf(new Protocol.Actors.ActorId(index))).ShouldBe([0, -1, -1, 1, 2]);
        plan.Stages[0].Slices.ShouldBeEmpty();
        plan.Stages[2].Parameters.Select(parameter => parameter.Name).Take(3).ShouldBe(["layers.0.theta", "layers.0.scale", "layers.0.bias"]);
        plan.Results.Select(place => (place.Parameter.Name, place.Parameter.Rows, place.Parameter.Columns)).Take(2)
            .ShouldBe([("layers.0.weight", 6, 50), ("layers.0.bias", 1, 6)]);
        plan.Front!.Features.ShouldBe(40);
    }

    [Fact]
    public void WithEveryLayerCollapsedThoseBetweenAreHistoriesInSlicesOfTheirOwn()
    {
        RunSettings settings = Good with
        {
            Network = Good.Network with { Layers = [Good.Network.Layers[0], new DropoutSpec(0.5), .. Good.Network.Layers.Skip(1)] },
            Stages = [1, 2, 1],
            Method = Good.Method with { Collapse = Collapse.All },
            ParameterServer = new ParameterServerSettings { Shards = 2 },
        };
        RunPlan plan = new(settings, 40, 7), input = new(settings with { Method = Good.Method }, 40, 7);
        (int layer, HistorySpec history) = plan.Front!.Histories.ShouldHaveSingleItem();
        (layer, history.Inputs, history.Outputs, history.RowsMax, history.HasVelocity).ShouldBe((2, 6, 5, 8, true));
        (int slice, int expanded) = plan.Histories.ShouldHaveSingleItem();
        plan.Slices[slice].Parameters.ShouldHaveSingleItem().Name.ShouldBe("layers.2.history");
        (plan.Slices[slice].GradientLength, plan.Slices[slice].StateLength).ShouldBe(((8 * (6 + 5)) + 1, 2 + 8));
        plan.Slices[slice].Length.ShouldBe((2 * 6 * 5) + (8 * (6 + 5)) + (2 + 8) + 1);
        plan.Slices[expanded].Parameters.ShouldHaveSingleItem().Name.ShouldBe("layers.2.expanded");
        (plan.Slices[expanded].Frozen, plan.Slices[expanded].Shard).ShouldBe((true, plan.Slices[slice].Shard));
        plan.Results.Select(place => place.Parameter).ShouldBe(input.Results.Select(place => place.Parameter));
        plan.Results.Single(place => place.Parameter.Name == "layers.2.weight").Slice.ShouldBe(expanded);
        input.Histories.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(40, 1000, 10, ContributionForm.Gram)]
    [InlineData(1000, 100, 10, ContributionForm.Basis)]
    [InlineData(150, 100, 200, ContributionForm.Gram)]
    public void AutoTakesTheFormWithFewerMultiplications(int rows, int inputs, int epochs, ContributionForm form)
    {
        RunSettings settings = Good with { Network = Good.Network with { Inputs = inputs }, Training = new TrainingSettings(epochs, 8) };
        new RunPlan(settings, rows, 0).Front!.Form.ShouldBe(form);
    }

    [Fact]
    public void MultiplicationsAreThoseOfTheFormulas()
    {
        // N = 40, d = 1,000, h = 6, 10 epochs, evaluation of the training rows at the end, momentum.
        RunSettings settings = Good with { Network = Good.Network with { Inputs = 1000 }, Optimizer = Good.Optimizer with { ClipNorm = null } };
        CostFirstLayer cost = CostFirstLayer.Of(settings, 40, 0);
        cost.Backprop.ShouldBe((6.0 * 1000 * 40 * 20) + (6.0 * 1000 * 40));
        cost.GramOnce.ShouldBe((40.0 * 41 * 1000 / 2) + (40.0 * 1000 * 6) + (2 * 40.0 * 1000 * 6));
        (cost.Gram - cost.GramOnce).ShouldBe(6.0 * 40 * 40 * 11);
        (cost.Basis - cost.BasisOnce).ShouldBe(6.0 * 40 * 40 * 21);
    }

    private static NetworkSpec First(LayerSpec layer) => Good.Network with { Layers = [layer, .. Good.Network.Layers.Skip(1)] };

    private static RunSettings Changed(string what) => what switch
    {
        "adam" => Good with { Optimizer = new OptimizerSpec(OptimizerKind.Adam, 0.1) },
        "rmsprop" => Good with { Optimizer = new OptimizerSpec(OptimizerKind.RmsProp, 0.1) },
        "tied" => Good with
        {
            Network = new NetworkSpec(50, [new DenseSpec(6, ActivationKind.Relu), new DenseSpec(6, ActivationKind.Relu), new DenseSpec(50, ActivationKind.Linear, TiedTo: 0)]),
            Loss = LossKind.SquaredError,
            Stages = [3],
        },
        "dropout" => Good with { Network = First(new DropoutSpec(0.5)) },
        "replicas" => Good with { Replicas = 2 },
        "async" => Good with { ParameterServer = new ParameterServerSettings { Consistency = Consistency.Async }, Optimizer = Good.Optimizer with { ClipNorm = null } },
        "median" => Good with { ParameterServer = new ParameterServerSettings { Aggregate = Aggregate.Median } },
        "fp16" => Good with { ParameterServer = new ParameterServerSettings { Compression = CompressionKind.Fp16 } },
        "one stage" => Good with { Stages = [3] },
        "micro-batches" => Good with { Training = new TrainingSettings(10, 8, 2) },
        "shares" => Good with { Method = Good.Method with { Form = ContributionForm.Basis, Shares = 2 } },
        _ => Good with
        {
            Network = new NetworkSpec(50, [new DenseSpec(6, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Relu), new DenseSpec(6, ActivationKind.Linear, TiedTo: 1)]),
            Loss = LossKind.SquaredError,
            Stages = [1, 2],
            Method = Good.Method with { Collapse = Collapse.All },
        },
    };
}
