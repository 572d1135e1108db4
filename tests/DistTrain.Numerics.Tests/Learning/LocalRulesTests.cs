using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Learning;

public sealed class LocalRulesTests
{
    [Fact]
    public void TensorsAreNamedByStageAndNumberedThroughTheNetworksOfARule()
    {
        LocalRules.ParametersOf(RuleCases.All["predsim"]).ShouldBe([
            new ParameterSpec("local.1.0.weight", 2, 3, 5), new ParameterSpec("local.1.0.bias", 2, 1, 3),
            new ParameterSpec("local.1.1.weight", 2, 5, 5)]);
        LocalRules.ParametersOf(RuleCases.All["conditioned predictor"]).ShouldBe([
            new ParameterSpec("local.1.0.weight", 2, 8, 8), new ParameterSpec("local.1.0.bias", 2, 1, 8),
            new ParameterSpec("local.1.1.weight", 2, 4, 8), new ParameterSpec("local.1.1.bias", 2, 1, 4),
            new ParameterSpec("local.1.2.weight", 2, 5, 4), new ParameterSpec("local.1.2.bias", 2, 1, 5)]);
        LocalRules.ParametersOf(RuleCases.All["inverse"]).ShouldBe([
            new ParameterSpec("local.1.0.weight", 2, 6, 5), new ParameterSpec("local.1.0.bias", 2, 1, 6)]);
        LocalRules.ParametersOf(RuleCases.All["hsic"]).ShouldBeEmpty();
    }

    [Fact]
    public void AnInverseHasTheActivationOfTheLayerBeforeTheStage()
    {
        LocalRuleSpec spec = RuleCases.Of(LocalRuleKind.DifferenceTarget) with { FirstLayer = 2, LayerCount = 1 };
        NetworkSpec Starting(LayerSpec first) => spec.Network with { Layers = [first, .. spec.Network.Layers.Skip(1)] };
        LocalRules.ParametersOf(spec with { Network = Starting(new DenseSpec(6, ActivationKind.Prelu)) })
            .Select(p => p.Name).ShouldBe(["local.1.0.weight", "local.1.0.bias", "local.1.0.slope"]);
        AuxiliaryNetworks.Inverse(spec with { Network = Starting(new DenseSpec(6, ActivationKind.LeakyRelu, Slope: 0.3)) })
            .Layers.ShouldBe([new DenseSpec(6, ActivationKind.LeakyRelu, Slope: 0.3)]);
        AuxiliaryNetworks.Inverse(spec with { Network = Starting(new MaxoutSpec(6, 2)) })
            .Layers.ShouldBe([new DenseSpec(6, ActivationKind.Tanh)]);
        AuxiliaryNetworks.Inverse(spec with { Network = Starting(new DropoutSpec(0.2)) })
            .Layers.ShouldBe([new DenseSpec(7, ActivationKind.Tanh)]);
    }

    [Fact]
    public void InitialValuesDependOnSeedStageAndTensorAndAreTheSameInBothPrecisions()
    {
        LocalRuleSpec spec = RuleCases.All["predsim"];
        double[] classifier = Initial(spec, 0, 1), map = Initial(spec, 2, 1);
        Initial(spec, 0, 1).ShouldBe(classifier);
        Initial(spec, 0, 2).ShouldNotBe(classifier);
        Initial(spec with { Stage = 2, LayerCount = 1, Network = Wide(spec) }, 0, 1).Take(5).ShouldNotBe(classifier.Take(5));
        double mapBound = Math.Sqrt(6.0 / 10), classifierBound = Math.Sqrt(6.0 / 8);
        map.Zip(classifier).Max(p => Math.Abs((p.First / mapBound) - (p.Second / classifierBound))).ShouldBeGreaterThan(0.1);
        Initial(spec, 1, 1).ShouldAllBe(v => v == 0);
        classifier.Max(Math.Abs).ShouldBeInRange(0.5 * classifierBound, classifierBound);
        ParameterSpec parameter = LocalRules.ParametersOf(spec)[0];
        float[] single = new float[parameter.Length];
        LocalRules.Initialize<float>(spec, parameter, 1, single);
        single.ShouldBe(classifier.Select(v => (float)v).ToArray());
    }

    [Fact]
    public void OnlyTheHiddenLayersOfAPredictorAreDrawn()
    {
        LocalRuleSpec spec = RuleCases.All["conditioned predictor"];
        int[] drawn = Enumerable.Range(0, 6).Where(i => Initial(spec, i, 1).Any(v => v != 0)).ToArray();
        drawn.ShouldBe([0, 2]);
    }

    [Fact]
    public void TheLastStageAndOtherKindsAreRefused()
    {
        LocalRuleSpec spec = RuleCases.All["pred"];
        LocalRuleSpec last = spec with { FirstLayer = 3, LayerCount = 1 };
        LocalRules.ParametersOf(last).ShouldBeEmpty();
        Should.Throw<ArgumentException>(() => LocalRules.LossOf<float>(last));
        Should.Throw<ArgumentException>(() => LocalRules.PredictorOf<float>(last));
        Should.Throw<ArgumentException>(() => LocalRules.PredictorOf<float>(spec));
        Should.Throw<ArgumentException>(() => LocalRules.TargetOf<float>(spec));
        Should.Throw<ArgumentException>(() => LocalRules.LossOf<float>(RuleCases.All["inverse"]));
        Should.Throw<ArgumentException>(() => LocalRules.Initialize<float>(
            spec, new ParameterSpec("local.1.1.weight", 2, 5, 5), 1, new float[25]));
    }

    // Another layer before the last one, so that the stage's last layer has another index.
    private static NetworkSpec Wide(LocalRuleSpec spec)
        => spec.Network with
        {
            Layers = [.. spec.Network.Layers.Take(1), new DenseSpec(5, ActivationKind.Tanh), .. spec.Network.Layers.Skip(2)],
        };

    private static double[] Initial(LocalRuleSpec spec, int index, ulong seed)
    {
        ParameterSpec parameter = LocalRules.ParametersOf(spec)[index];
        double[] values = new double[parameter.Length];
        LocalRules.Initialize<double>(spec, parameter, seed, values);
        return values;
    }
}
