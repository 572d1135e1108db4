using System.Text.Json;
using DistTrain.Commands.Papers.FrontContribution;
using DistTrain.Numerics;

namespace DistTrain.Commands.Tests.Papers;

/// <summary>The 2-2-1 experiments of Mishra and Arunkumar against backpropagation.</summary>
public sealed class FrontContributionTests
{
    private static readonly double[] Rates = [0.1, 0.01, 0.001];

    // The whole experiment, once: 20 seeds, 10,000 iterations, about a second.
    private static readonly Lazy<IReadOnlyList<Figure3Row>> Rows = new(() => Figure3.Run(new Figure3Settings(10_000, 20, Rates), (_, _) => { }, CancellationToken.None));

    [Theory]
    [InlineData("top")]
    [InlineData("middle")]
    [InlineData("bottom")]
    public void TheThreeSchemesOfFigure3AreBackpropagationToRoundingErrorWhateverTheReLuDoes(string scheme)
    {
        Figure3Row[] rows = [.. Rows.Value.Where(row => row.Scheme.Key == scheme)];
        rows.Length.ShouldBe(6);
        rows.ShouldAllBe(row => row.Runs.Count == 20 && row.Runs.All(run => run.LargestRelative <= 1e-12));

        // Backpropagation itself moves: an experiment in which nothing happens would prove nothing.
        rows.ShouldAllBe(row => row.Largest > 0);
    }

    [Fact]
    public void ThePapersBoundIsMetOnThePapersKindOfRunAtTheLargestLearningRate()
    {
        foreach (Figure3Row row in Rows.Value.Where(row => row.Scheme is { MustBeExact: true, AllInputs: false } && row.LearningRate == 0.1))
        {
            row.WithTargetOne.Runs.ShouldBeGreaterThan(5);
            row.WithTargetOne.WithinPaperBound.ShouldBe(row.WithTargetOne.Runs);
        }
    }

    [Fact]
    public void ThePrintedClosedFormIsWrongBeforeTheFirstUpdate() =>
        Rows.Value.Where(row => row.Scheme.Key == "closed-form-printed").ShouldAllBe(row => !row.Exact && row.AtStart > 0.06);

    [Fact]
    public void ThePrintedChainLosesAWeightAtTheFirstInputWithAZero() =>
        Rows.Value.Where(row => row.Scheme.Key == "chain-printed").ShouldAllBe(row => !row.Exact && row.Median > 0.5);

    [Fact]
    public void TheErrorOfTheConservedFormFallsWithTheLearningRateWhileTheReLuStaysActive()
    {
        double[] medians = [.. Rows.Value.Where(row => row.Scheme.Key == "closed-form-conserved" && row.Transition == Transition.StaysActive).Select(row => row.Median)];
        (medians[0] / medians[1]).ShouldBeInRange(5, 20);
        (medians[1] / medians[2]).ShouldBeInRange(5, 20);
    }

    [Fact]
    public void BackpropagationFollowsEquations13And14()
    {
        // x = (1, 2), s = 0.5 + 0.5 = 1, η(y − y_g) = 0.1: w5' = 0.4 − 0.1·1 = 0.3, w1' = 0.5 − 0.1·0.3·1 = 0.47, w2' = 0.25
        // − 0.1·0.3·2 = 0.19.
        BackpropagationUnit unit = new(new UnitWeights(0.5, 0.25, 0.4));
        unit.Update(new Sample(1, 2, 0), 0.1);
        unit.Contribution(new Sample(1, 2, 0)).ShouldBe(0.3 * (0.47 + (2 * 0.19)), 1e-15);
    }

    [Theory]
    [InlineData("top")]
    [InlineData("middle")]
    [InlineData("bottom")]
    public void AUnitThatIsDeadAtTheStartContributesNothingAndTheOtherTrains(string scheme)
    {
        Comparison run = Compare(scheme, new UnitWeights(-0.5, -0.4, 0.8), new UnitWeights(0.3, 0.6, 0.5), new Sample(1, 1, 1));
        run.LargestRelative.ShouldBeLessThanOrEqualTo(1e-12);
    }

    [Theory]
    [InlineData("top")]
    [InlineData("middle")]
    [InlineData("bottom")]
    public void TheInputOfZerosGivesZeroAndChangesNothing(string scheme)
    {
        Sample zeros = new(0, 0, 1);
        Start start = new(new UnitWeights(0.5, 0.4, 0.8), new UnitWeights(-0.3, 0.6, 0.5));
        TwoUnits network = Find(scheme).Build(start, zeros);
        network.Step(zeros, 0.1);
        network.Output(zeros).ShouldBe(0);
        Comparison.Run(Find(scheme), start, zeros, 0.1, 1_000).LargestRelative.ShouldBeLessThanOrEqualTo(1e-12);
    }

    [Theory]
    [InlineData("top")]
    [InlineData("middle")]
    [InlineData("bottom")]
    public void AFinalWeightThatDecaysToZeroIsNotDividedBy(string scheme)
    {
        // Target 0 and one unit with v > |w5|: w5 shrinks by a factor each step, through the subnormal numbers to 0.
        UnitWeights shrinking = new(1.5, 0.2, 0.5), dead = new(-1, -1, 0.5);
        Sample x = new(1, 0, 0);
        Compare(scheme, shrinking, dead, x, 10_000).LargestRelative.ShouldBeLessThanOrEqualTo(1e-12);
        TwoUnits reference = new(new BackpropagationUnit(shrinking), new BackpropagationUnit(dead));
        for (int i = 0; i < 10_000; i++)
        {
            reference.Step(x, 0.1);
        }

        Math.Abs(reference.Output(x)).ShouldBeLessThan(1e-300);
    }

    [Theory]
    [InlineData("top")]
    [InlineData("middle")]
    public void AFinalWeightOfZeroAtTheStartLearns(string scheme) =>
        Compare(scheme, new UnitWeights(0.5, 0.4, 0), new UnitWeights(0.3, 0.6, 0.5), new Sample(1, 1, 1)).LargestRelative.ShouldBeLessThanOrEqualTo(1e-12);

    [Fact]
    public void InTheStatesSchemeAnotherInputRevivesADeadUnit()
    {
        // Dead on (0, 1) at first; training on (1, 1) lifts w2 until it is alive there.
        Sample other = new(0, 1, 1), presented = new(1, 1, 3);
        UnitWeights start = new(1, -0.1, 0.5), dead = new(-1, -1, 0);
        TwoUnits states = new(new StatesUnit(start), new StatesUnit(dead)), reference = new(new BackpropagationUnit(start), new BackpropagationUnit(dead));
        states.Output(other).ShouldBe(0);
        for (int i = 0; i < 200; i++)
        {
            states.Step(presented, 0.1);
            reference.Step(presented, 0.1);
        }

        states.Output(other).ShouldBeGreaterThan(0.1);
        states.Output(other).ShouldBe(reference.Output(other), 1e-13);
    }

    [Fact]
    public void WhatBecomesOfAReLuIsReadFromBackpropagation()
    {
        UnitWeights dead = new(-1, -1, 0.5);
        Sample low = new(1, 0, -5);
        StartSearch.Shown(new Start(new UnitWeights(0.1, 0, 1), dead), [low], 0.1, 100).ShouldBe(Transition.Dies);
        StartSearch.Shown(new Start(new UnitWeights(1, 0, 0.5), dead), [low with { Target = 1 }], 0.1, 100).ShouldBe(Transition.StaysActive);
        StartSearch.Shown(new Start(dead, dead), [low], 0.1, 100).ShouldBeNull();
        StartSearch.Shown(new Start(new UnitWeights(1, 0, 0.5), dead), [low with { X1 = 1e3 }], 10, 100).ShouldBeNull("it diverges");
    }

    [Fact]
    public void WhenARunIsTooShortForAUnitToDieTheErrorSaysWhatToChange() =>
        Should.Throw<InvalidInputException>(() => Figure3.Run(new Figure3Settings(1, 1, [1e-6]), (_, _) => { }, CancellationToken.None))
            .Message.ShouldContain("give more --iterations");

    [Fact]
    public void ASchemeThatMustBeExactAndIsNotFailsTheResult()
    {
        Figure3Row row = Rows.Value.First(row => row.Scheme.Key == "chain-printed");
        Figure3.Holds(Rows.Value).ShouldBeTrue();
        Figure3.Holds([.. Rows.Value, row with { Scheme = row.Scheme with { MustBeExact = true } }]).ShouldBeFalse();
    }

    [Fact]
    public void AnErrorChartShowsEachDecadeOnce()
    {
        string[] lines = [.. ErrorChart.Lines([0, 1.5e-16, 6e-16, 2e-15], 1_000)];
        lines.ShouldBe(
        [
            "    2e-15 │   •",
            "    1e-15 │",
            "    5e-16 │  •",
            "    2e-16 │",
            "    1e-16 │ •",
            "        0 │•",
            "          └────",
            "           01,000",
        ]);
    }

    [Fact]
    public void TheCommandPrintsTheTableTheCurvesAndWhichFormsAreExact()
    {
        using Bench bench = new();
        bench.Run("paper", "front-contribution", "--seeds", "2", "--iterations", "2000", "--learning-rates", "0.1,0.01").ShouldBe(0);
        bench.Out.ShouldContain("Figure 3, bottom: states s, S; η = 0.1");
        bench.Out.ShouldContain("top: w5 + p, w6 + q: exact");
        bench.Out.ShouldContain("printed form, eq. 29: NOT exact");
        bench.LeftBehind().ShouldBeEmpty();
    }

    [Fact]
    public void AsJsonItPrintsARowForEverySetting()
    {
        using Bench bench = new();
        bench.Run("paper", "front-contribution", "--seeds", "2", "--iterations", "1000", "--learning-rates", "0.1", "--json").ShouldBe(0);
        using JsonDocument json = JsonDocument.Parse(bench.Out);
        json.RootElement.GetProperty("holds").GetBoolean().ShouldBeTrue();
        json.RootElement.GetProperty("rows").GetArrayLength().ShouldBe(12);
    }

    [Theory]
    [InlineData("--seeds", "0", "--seeds 0: expected a whole number from 1 to")]
    [InlineData("--learning-rates", "0.1,fast", "'fast' is not a learning rate")]
    [InlineData("--learning-rates", "-1", "'-1' is not a learning rate")]
    public void WhenAnOptionIsWrongTheErrorNamesIt(string option, string value, string message)
    {
        using Bench bench = new();
        bench.Run("paper", "front-contribution", option, value).ShouldBe(2);
        bench.Error.ShouldContain(message);
    }

    private static Scheme Find(string key) => Scheme.All.Single(scheme => scheme.Key == key);

    /// <summary>On one input over and over.</summary>
    private static Comparison Compare(string scheme, UnitWeights first, UnitWeights second, Sample x, int iterations = 2_000) =>
        Comparison.Run(Find(scheme) with { AllInputs = false }, new Start(first, second), x, 0.1, iterations);
}
