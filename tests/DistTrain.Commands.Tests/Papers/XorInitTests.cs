using System.Text.Json;
using DistTrain.Commands.Papers.XorInit;
using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Tests.Papers;

/// <summary>Stalls of XOR from U(0, 1).</summary>
public sealed class XorInitTests
{
    [Fact]
    public void TheCountsDoNotDependOnTheNumberOfThreads()
    {
        XorVariant[] variants = [new(ActivationKind.Sigmoid, "momentum 0.9") { Momentum = 0.9 }];
        IReadOnlyList<XorEnding> one = Study(variants, 12, 1)[0].Endings, three = Study(variants, 12, 3)[0].Endings;
        one.ShouldBe(three);
    }

    [Fact]
    public void SomeStartsLearnAndSomeNeverDo()
    {
        XorResult result = Study([new(ActivationKind.Relu, "one row a step") { BatchSize = 1 }], 20, 2)[0];
        result.Learnt.ShouldBeInRange(5, 19);
        (result.Learnt + result.Stalled).ShouldBe(20);
        result.Stuck.ShouldBeLessThanOrEqualTo(result.Stalled);
        result.MedianEpochs.ShouldNotBeNull().ShouldBeInRange(1, XorStudy.Epochs);
    }

    [Fact]
    public void RestartsKeepWhatTheFirstStartLearntAndOnlyHelp()
    {
        XorVariant single = new(ActivationKind.Sigmoid, "") { Momentum = 0.9 };
        IReadOnlyList<XorResult> results = Study([single, single with { Starts = 5 }], 30, 2);
        results[0].Stalled.ShouldBeGreaterThan(0);
        results[1].Stalled.ShouldBeLessThan(results[0].Stalled);
        for (int i = 0; i < 30; i++)
        {
            if (results[0].Endings[i].Epochs is not null)
            {
                results[1].Endings[i].ShouldBe(results[0].Endings[i]);
            }
        }
    }

    [Fact]
    public void WithoutEpochsNothingIsLearntAndTheGradientIsThatOfTheStart()
    {
        using XorTrainer trainer = new(new XorVariant(ActivationKind.Sigmoid, ""));
        XorEnding ending = trainer.Train(1, 0);
        ending.Epochs.ShouldBeNull();
        ending.GradientNorm.ShouldBeGreaterThan(1e-3);
    }

    [Fact]
    public void TheFindingsFailWhereNothingEverStalls()
    {
        XorResult[] all = [.. XorVariant.All.Select(variant => new XorResult(variant, [new XorEnding(10, 1)]))];
        new XorFindings(all).Hold.ShouldBeFalse();
        XorResult[] asAsked = [.. XorVariant.All.Select(variant => new XorResult(variant,
            [new XorEnding(10, 1), new XorEnding(variant.Remedy.Length > 0 ? 10 : null, 1e-9)]))];
        new XorFindings(asAsked).Hold.ShouldBeTrue();
        new XorFindings(asAsked).Answer().First().ShouldContain("50 % of the sigmoid starts and 50 % of the ReLU starts stall; in 2 of these 2 runs");
    }

    [Fact]
    public void TheCommandCountsEveryVariant()
    {
        using Bench bench = new();
        bench.Run("paper", "xor-init", "--seeds", "24", "--json").ShouldBe(0);
        using JsonDocument json = JsonDocument.Parse(bench.Out);
        json.RootElement.GetProperty("rows").GetArrayLength().ShouldBe(XorVariant.All.Count);
        json.RootElement.GetProperty("rows").EnumerateArray()
            .ShouldAllBe(row => row.GetProperty("learnt").GetInt32() + row.GetProperty("stalled").GetInt32() == 24);
        bench.Run("paper", "xor-init", "--seeds", "0").ShouldBe(2);
        bench.Error.ShouldContain("--seeds 0: expected a whole number from 1 to 1000000");
    }

    private static IReadOnlyList<XorResult> Study(IReadOnlyList<XorVariant> variants, int seeds, int threads) =>
        XorStudy.Run(variants, seeds, threads, (_, _) => { }, CancellationToken.None);
}
