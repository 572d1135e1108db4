using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Planning;

public sealed class CostModelTests
{
    [Fact]
    public void ProductsOfASmallNetworkEqualHandCounts()
    {
        // 7 > 9 > 6 > 5 on 38 rows in batches of 10, 2 epochs, 12 test rows after each.
        CostArithmetic cost = Entry(Table(Small), "backprop", "1f1b").Arithmetic;
        const int PerRow = (2 * 7 * 9) + (3 * 9 * 6) + (3 * 6 * 5), Forward = (7 * 9) + (9 * 6) + (6 * 5);
        cost.PerStep.ShouldBe(10 * PerRow);
        cost.Steps.ShouldBe(2 * 38 * PerRow);
        cost.Evaluations.ShouldBe((38 + (2 * 12)) * Forward);
        cost.Once.ShouldBe(0);
        cost.Total.ShouldBe(cost.Steps + cost.Evaluations);
        cost.UpdatesPerStep.ShouldBe((8 * 9) + (10 * 6) + (7 * 5));
    }

    [Fact]
    public void ProductsOfMaxoutAndDropoutEqualHandCounts()
    {
        RunSettings settings = Small with
        {
            Network = new NetworkSpec(7, [new MaxoutSpec(4, 3), new DropoutSpec(0.2), new DenseSpec(5, ActivationKind.Softmax)]),
        };
        Entry(Table(settings), "backprop", "1f1b").Arithmetic.PerStep.ShouldBe(10 * ((2 * 7 * 12) + (3 * 4 * 5)));
    }

    [Fact]
    public void ProductsOfFrontContributionEqualHandCounts()
    {
        // K is computed up to its diagonal; two products expand weights and velocity.
        CostTable table = Table(Wide);
        CostArithmetic gram = Front(table, ContributionForm.Gram).Arithmetic, basis = Front(table, ContributionForm.Basis).Arithmetic;
        const int Rest = (3 * 9 * 6) + (3 * 6 * 5), RestForward = (9 * 6) + (6 * 5), Evaluated = 38 + (2 * 12);
        gram.PerStep.ShouldBe(10 * ((38 * 9) + Rest));
        gram.Once.ShouldBe((38 * 39 / 2 * 60) + (12 * 38 * 60) + (50 * 60 * 9) + (2 * 38 * 60 * 9));
        gram.Evaluations.ShouldBe(Evaluated * ((38 * 9) + RestForward));
        basis.PerStep.ShouldBe(10 * ((2 * 38 * 9) + Rest));
        basis.Evaluations.ShouldBe(gram.Evaluations);

        // The first panel of 32 rows, its block on 6 rows behind it and on all 38 of Q; then a panel of 6, on its own rows and those of Q.
        const int Panel32 = (3 * 496 * 60) + 10_416, Panel6 = (3 * 15 * 60) + 55;
        const int Blocks = (44 * ((64 * 60) + 1024)) + (6 * ((12 * 60) + 36));
        basis.Once.ShouldBe(Panel32 + Panel6 + Blocks + (12 * 38 * 60) + (50 * 60 * 9) + (2 * 38 * 60 * 9));
    }

    [Fact]
    public void ProductsOfHistoriesEqualHandCounts()
    {
        // The layer from 9 to 6 has room for 10 rows, a step's: it is folded at each of the 8 steps but the first, and never has rows before its step.
        RunSettings narrow = Wide with { Method = new MethodSettings("front-contribution") { Collapse = Collapse.All } };
        CostArithmetic input = Front(Table(Wide), ContributionForm.Gram).Arithmetic, all = Front(Table(narrow), ContributionForm.Gram).Arithmetic;
        (all.PerStep - input.PerStep).ShouldBe((10 * -9 * 6) + (2 * 10 * 9 * 6 * 7.0 / 8));
        (all.Once - input.Once).ShouldBe(2 * 10 * 9 * 6);
        all.Evaluations.ShouldBe(input.Evaluations);

        // From 30 to 6 it has room for three steps: 0, 10, 20, 0, 10, 20, 0, 10 rows, two folds, 20 rows at the end.
        RunSettings wide = narrow with { Network = new NetworkSpec(60, [new DenseSpec(30, ActivationKind.Relu), .. Small.Network.Layers.Skip(1)]) };
        input = Front(Table(wide with { Method = new MethodSettings("front-contribution") }), ContributionForm.Gram).Arithmetic;
        all = Front(Table(wide), ContributionForm.Gram).Arithmetic;
        const double Past = 70 / 8.0 * (30 + 6);
        (all.PerStep - input.PerStep).ShouldBe((10 * ((2 * Past) - (30 * 6))) + (2 * 30 * 30 * 6 * 2 / 8.0), 1e-6);
        (all.Once - input.Once).ShouldBe(2 * 20 * 30 * 6);
        (all.Evaluations - input.Evaluations).ShouldBe((38 + (2 * 12)) * Past, 1e-6);
    }

    [Fact]
    public void OfTheGramMatrixTheEntriesUpToTheDiagonalCount()
    {
        CostTable table = CostModel.Of(Benchmark(5_000, 64, momentum: 0.9), 300, 0);
        const double Entries = 300 * 301 / 2.0;
        Front(table, ContributionForm.Gram).Arithmetic.Once.ShouldBe((Entries * 5_000) + (3.0 * 300 * 5_000 * 64));
    }

    [Fact]
    public void ClippingInTheGramFormAddsTheSquareOfTheBatch()
    {
        RunSettings clipped = Wide with { Optimizer = Wide.Optimizer with { ClipNorm = 1 } };
        CostArithmetic without = Front(Table(Wide), ContributionForm.Gram).Arithmetic, with = Front(Table(clipped), ContributionForm.Gram).Arithmetic;
        (with.PerStep - without.PerStep).ShouldBe(10 * 10 * 9);
        (with.Steps - without.Steps).ShouldBe(2 * 9 * ((3 * 100) + 64));
    }

    [Theory]
    [InlineData(300, 5_000, 64, 13.6)]
    [InlineData(500, 20_000, 128, 19.3)]
    [InlineData(72, 7_129, 64, 32.8)]
    public void TheCeilingOfFrontContributionIsThatOfItsFormulas(int rows, int inputs, int hidden, double ceiling)
    {
        // Backpropagation 2 d h a row; the Gram form N h, and once N² d/2 + N d h for contributions and N d h for the expansion.
        RunSettings settings = Benchmark(inputs, hidden, momentum: 0);
        double trained = 50.0 * rows, n = rows, d = inputs, h = hidden;
        double byHand = d * h * ((2 * trained) + n) / ((n * n * d / 2) + (2 * n * d * h) + (n * h * (trained + n)));
        CostVerdict verdict = CostModel.Of(settings, rows, 0).Verdict!;
        verdict.Form.ShouldBe(ContributionForm.Gram);
        verdict.Ceiling.ShouldBe(byHand, 1e-9 * byHand);
        verdict.Ceiling.ShouldBe(ceiling, 0.1);
        verdict.Factor.ShouldBeLessThan(verdict.Ceiling);
        verdict.Pays.ShouldBeTrue();
    }

    [Fact]
    public void MoreRowsThanFeaturesAreNotWorthIt()
    {
        CostVerdict verdict = CostModel.Of(Benchmark(500, 64, momentum: 0.9), 2_000, 0).Verdict!;
        verdict.Pays.ShouldBeFalse();
        verdict.Factor.ShouldBeLessThan(1);
        verdict.RowsMax.ShouldBeInRange(250, 1_000);
        verdict.InputsMin!.Value.ShouldBeInRange(1_000, 4_000);
        CostTable table = CostModel.Of(Benchmark(500, 64, momentum: 0.9), 2_000, 0);
        (Entry(table, "backprop", "1f1b").Arithmetic.Total / Front(table, ContributionForm.Gram).Arithmetic.Total).ShouldBeLessThan(0.5);
    }

    [Fact]
    public void TheFactorIsWhatTheTableSays()
    {
        foreach ((int rows, int inputs) in new[] { (300, 5_000), (2_000, 500), (72, 7_129), (256, 300) })
        {
            CostTable table = CostModel.Of(Benchmark(inputs, 64, momentum: 0.9), rows, 40);
            double front = Math.Min(Front(table, ContributionForm.Gram).Arithmetic.Total, Front(table, ContributionForm.Basis).Arithmetic.Total);
            table.Verdict!.Factor.ShouldBe(Entry(table, "backprop", "1f1b").Arithmetic.Total / front, 1e-9);
        }
    }

    [Fact]
    public void FrontContributionPaysUpToTheRowsFromTheFeaturesAndFromTheEpochsThatTheVerdictNames()
    {
        foreach ((int rows, int inputs) in new[] { (300, 5_000), (2_000, 500), (72, 7_129) })
        {
            RunSettings settings = Benchmark(inputs, 64, momentum: 0.9);
            CostVerdict verdict = CostModel.Of(settings, rows, 40).Verdict!;
            Factor(settings, verdict.RowsMax).ShouldBeGreaterThan(1);
            Factor(settings, verdict.RowsMax + 1).ShouldBeLessThanOrEqualTo(1);
            Factor(Inputs(settings, verdict.InputsMin!.Value), rows).ShouldBeGreaterThan(1);
            Factor(Inputs(settings, verdict.InputsMin!.Value - 1), rows).ShouldBeLessThanOrEqualTo(1);
            if (verdict.EpochsMin is int epochs)
            {
                Factor(Epochs(settings, epochs), rows).ShouldBeGreaterThan(1);
                (epochs == 1 || Factor(Epochs(settings, epochs - 1), rows) <= 1).ShouldBeTrue();
            }
        }

        double Factor(RunSettings settings, int rows) => Best(CostModel.Of(settings with { Training = settings.Training with { BatchSize = Math.Min(32, rows) } }, rows, 40));
        double Best(CostTable table) => Entry(table, "backprop", "1f1b").Arithmetic.Total
            / Math.Min(Front(table, ContributionForm.Gram).Arithmetic.Total, Front(table, ContributionForm.Basis).Arithmetic.Total);
        RunSettings Inputs(RunSettings settings, int inputs) => settings with { Network = settings.Network with { Inputs = inputs } };
        RunSettings Epochs(RunSettings settings, int epochs) => settings with { Training = settings.Training with { Epochs = epochs } };
    }

    [Fact]
    public void StoredActivationsAreTheSchedules()
    {
        foreach (string name in ScheduleCatalog.Names)
        {
            CostEntry entry = Entry(Table(Small with { Training = Small.Training with { MicroBatches = 5 } }), "backprop", name);
            for (int stage = 0; stage < 3; stage++)
            {
                CostActor actor = entry.Actors.Single(candidate => candidate.Name == $"layer-{stage}");
                actor.StoredActivations.ShouldBe(ScheduleCatalog.Find(name)!.StoredActivationsMax(3, 5, stage));
            }
        }
    }

    [Fact]
    public void MemoryOfASmallNetworkEqualsHandCounts()
    {
        // Tanh and relu keep nothing between input and output; rows of micro-batches are 5, those of an evaluation 38.
        CostEntry entry = Entry(Table(Small), "backprop", "fill-drain");
        CostActor first = entry.Actors[0], server = entry.Actors.Single(actor => actor.Name == "parameter-server");
        first.WeightBytes.ShouldBe(4 * 8 * 9);
        first.GradientBytes.ShouldBe(4 * 8 * 9);
        first.StoredActivations.ShouldBe(2);
        first.ActivationBytes.ShouldBe(4 * 38 * (7 + 9));
        const int Parameters = (8 * 9) + (10 * 6) + (7 * 5);
        server.WeightBytes.ShouldBe(4 * 2 * Parameters);
        server.StateBytes.ShouldBe(4 * 2 * Parameters);
        server.GradientBytes.ShouldBe(4 * Parameters);

        CostEntry pipedream = Entry(Table(Small with { Training = Small.Training with { MicroBatches = 1 } }), "pipedream", null);
        pipedream.Actors.Take(3).Select(actor => actor.WeightBytes).ShouldBe([3 * 4 * 72.0, 2 * 4 * 60.0, 4 * 35.0]);
        pipedream.Actors.Take(3).Select(actor => actor.StoredActivations).ShouldBe([3, 2, 1]);
    }

    [Fact]
    public void LargeWeightsKeepTheFactorsOfSeveralMicroBatchesBesideTheirGradients()
    {
        // Four micro-batches of two rows: 8 rows of 50 inputs and 40 deltas, and how many they are, are fewer values than the first weight; those of the others are not.
        RunSettings settings = Small with
        {
            Network = new NetworkSpec(50, [new DenseSpec(40, ActivationKind.Tanh), .. Small.Network.Layers.Skip(1)]),
            Training = Small.Training with { MicroBatches = 5 },
        };
        CostActor[] deferred = [.. Entry(Table(settings), "backprop", "fill-drain").Actors.Take(2)];
        deferred.Select(actor => actor.GradientBytes).ShouldBe([4 * ((40.0 * 51) + (8 * 90) + 1), 4 * 6 * 41]);
        CostActor[] whole = [.. Entry(Table(settings with { Training = Small.Training }), "backprop", "fill-drain").Actors.Take(2)];
        whole.Select(actor => actor.GradientBytes).ShouldBe([4.0 * 40 * 51, 4 * 6 * 41]);
    }

    [Fact]
    public void TheFinalLayerActorHoldsTheContributionsOfAllRows()
    {
        CostTable table = Table(Wide);
        Front(table, ContributionForm.Gram).Actors.Single(actor => actor.Name == "layer-2").ContributionBytes.ShouldBe(4 * (38 + 12) * (38 + 9));
        Front(table, ContributionForm.Gram).Actors.Single(actor => actor.Name == "layer-1").TotalBytes.ShouldBe(0);
        Entry(table, "backprop", "1f1b").Actors.Sum(actor => actor.ContributionBytes).ShouldBe(0);
    }

    [Fact]
    public void AMethodThatCannotServeSaysWhyAndCostsNothing()
    {
        CostTable table = Table(Small with { Optimizer = new OptimizerSpec(OptimizerKind.Adam, 0.01) });
        Entry(table, "pipedream", null).Refusal!.ShouldStartWith("training.micro-batches: ");
        Front(table, ContributionForm.Gram).Refusal!.ShouldStartWith("optimizer.name: adam ");
        Front(table, ContributionForm.Basis).Messages.ShouldBeEmpty();
        table.Verdict.ShouldBeNull();
        table.Methods.Single(entry => entry.Planned).Settings.Name.ShouldBe("backprop");
    }

    [Fact]
    public void WhatAnEngineCannotRunIsRefusedToo()
    {
        CostTable table = CostModel.Of(Wide, 38, 12, settings => settings.Method.Form == ContributionForm.Gram ? "method.form: too large" : null);
        Front(table, ContributionForm.Gram).Refusal.ShouldBe("method.form: too large");
        table.Verdict!.Form.ShouldBe(ContributionForm.Basis);
    }

    private static RunSettings Small { get; } = new()
    {
        Name = "small",
        Precision = Precision.Float32,
        Network = new NetworkSpec(
            7, [new DenseSpec(9, ActivationKind.Tanh), new DenseSpec(6, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 },
        Training = new TrainingSettings(2, 10, 2),
        Stages = [1, 1, 1],
    };

    private static RunSettings Wide { get; } =
        Small with { Network = Small.Network with { Inputs = 60 }, Training = Small.Training with { MicroBatches = 1 } };

    private static CostTable Table(RunSettings settings) => CostModel.Of(settings, 38, 12);

    private static CostEntry Entry(CostTable table, string method, string? schedule) => table.Methods.Single(
        entry => entry.Settings.Name == method && (schedule is null || entry.Settings.Schedule == schedule));

    private static CostEntry Front(CostTable table, ContributionForm form) =>
        table.Methods.Single(entry => entry.Settings.Name == "front-contribution" && entry.Settings.Form == form);

    private static RunSettings Benchmark(int inputs, int hidden, double momentum) => Small with
    {
        Network = new NetworkSpec(inputs, [new DenseSpec(hidden, ActivationKind.Relu), new DenseSpec(2, ActivationKind.Softmax)]),
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.01) { Momentum = momentum },
        Training = new TrainingSettings(50, 32),
        Stages = [1, 1],
    };
}
