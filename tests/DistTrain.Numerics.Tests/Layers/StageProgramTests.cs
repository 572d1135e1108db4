using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Layers;

public sealed class StageProgramTests
{
    private static readonly NetworkSpec Everything = new(6, [
        new DenseSpec(9, ActivationKind.Prelu), new DropoutSpec(0.2), new MaxoutSpec(7, 2), new KCompetitiveSpec(8, 3, 1.5),
        new DenseSpec(7, ActivationKind.Tanh, TiedTo: 3), new DenseSpec(5, ActivationKind.Elu),
        new DenseSpec(5, ActivationKind.Sigmoid), new DenseSpec(5, ActivationKind.LeakyRelu), new DenseSpec(5, ActivationKind.Softmax),
        new DenseSpec(4, ActivationKind.Softmax)]);

    [Fact]
    public void ParametersAreListedInLayerOrderAsWeightBiasSlope()
    {
        var network = new NetworkSpec(3, [
            new DenseSpec(4, ActivationKind.Prelu), new DropoutSpec(0.1), new MaxoutSpec(2, 3),
            new DenseSpec(5, ActivationKind.Linear, Bias: false)]);
        new StageProgram<float>(network, 0, 4).Parameters.ShouldBe([
            new ParameterSpec("layers.0.weight", 0, 4, 3), new ParameterSpec("layers.0.bias", 0, 1, 4),
            new ParameterSpec("layers.0.slope", 0, 1, 1), new ParameterSpec("layers.2.weight", 2, 6, 4),
            new ParameterSpec("layers.2.bias", 2, 1, 6), new ParameterSpec("layers.3.weight", 3, 5, 2)]);
        var part = new StageProgram<float>(network, 2, 2);
        part.InputWidth.ShouldBe(4);
        part.OutputWidth.ShouldBe(5);
        part.Parameters.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(1, 3, 6)]
    [InlineData(5, 6, 9)]
    [InlineData(2, 3, 8)]
    public void ANetworkSplitIntoStagesGivesTheSameBits(int first, int second, int third)
    {
        SplitGivesTheSameBits<double>(first, second, third);
        SplitGivesTheSameBits<float>(first, second, third);
    }

    [Fact]
    public void ATieAcrossStagesIsRefusedWithTheLayersNamed()
        => Should.Throw<InvalidInputException>(() => new StageProgram<float>(Everything, 4, 2))
            .Message.ShouldBe("network[4]: tied to layer 3, which is in another stage. Choose stages so that layers 3 to 4 stand in one.");

    [Fact]
    public void WithoutRowsGradientsAreZeroOrUnchanged()
    {
        using var stage = new TestStage<double>(Everything, 0, LossKind.CrossEntropy);
        stage.Forward().ShouldBe(-1);
        stage.Loss().ShouldBe(new LossResult(0, 0, 0));
        foreach (TensorView<double> gradient in stage.Gradients)
        {
            gradient.Span.Fill(3);
        }

        stage.Backward(accumulate: true);
        stage.Gradients.SelectMany(g => g.Span.ToArray()).ShouldAllBe(v => v == 3);
        stage.Backward(accumulate: false);
        stage.Gradients.SelectMany(g => g.Span.ToArray()).ShouldAllBe(v => v == 0);
    }

    [Fact]
    public void MicroBatchesThatAccumulateGiveTheGradientOfTheWholeStep()
    {
        const int rows = 7, cut = 3;
        using var whole = new TestStage<double>(Everything, rows, LossKind.CrossEntropy) { RowWeight = 1.0 / rows };
        FillInputs(whole);
        whole.Pass();
        double loss = 0;
        using var part = new TestStage<double>(Everything, cut, LossKind.CrossEntropy) { RowWeight = 1.0 / rows };
        using var rest = new TestStage<double>(Everything, rows - cut, LossKind.CrossEntropy) { RowWeight = 1.0 / rows };
        foreach ((TestStage<double> stage, int start) in new[] { (part, 0), (rest, cut) })
        {
            stage.Context = stage.Context with { FirstSample = whole.Context.FirstSample + start };
            whole.Input.Span.Slice(start * 6, stage.Input.Span.Length).CopyTo(stage.Input.Span);
            whole.Target.Span.Slice(start * 4, stage.Target.Span.Length).CopyTo(stage.Target.Span);
        }

        part.Pass();
        for (int i = 0; i < part.Gradients.Length; i++)
        {
            part.Gradients[i].Span.CopyTo(rest.Gradients[i].Span);
        }

        loss = rest.Pass(accumulate: true).LossSum;
        loss.ShouldBeGreaterThan(0);
        for (int i = 0; i < whole.Gradients.Length; i++)
        {
            ShouldBeClose(rest.Gradients[i].Span, whole.Gradients[i].Span, 1e-14, whole.Program.Parameters[i].Name);
        }
    }

    [Theory]
    [InlineData(40, true)]
    [InlineData(40, false)]
    [InlineData(1100, true)]
    [InlineData(1100, false)]
    public void AccumulatingIsAddingAGradientThatWasComputedApart(int rows, bool tied)
    {
        NetworkSpec untied = Everything with { Layers = Everything.Layers.Where(l => l is not DenseSpec { TiedTo: 3 }).ToArray() };
        NetworkSpec network = tied ? Everything : untied;
        using var stage = new TestStage<float>(network, rows, LossKind.CrossEntropy);
        FillInputs(stage);
        stage.Pass();
        float[][] apart = stage.Gradients.Select(g => g.Span.ToArray()).ToArray();
        float[][] before = apart.Select((_, i) => new float[apart[i].Length]).ToArray();
        for (int i = 0; i < before.Length; i++)
        {
            TestValues.Fill<float>(before[i], (ulong)i);
            before[i].CopyTo(stage.Gradients[i].Span);
        }

        stage.Backward(accumulate: true);
        for (int i = 0; i < before.Length; i++)
        {
            stage.Gradients[i].Span.ToArray()
                .ShouldBe(before[i].Zip(apart[i], (a, b) => a + b).ToArray(), stage.Program.Parameters[i].Name);
        }
    }

    [Fact]
    public void FactorsOfSeveralPassesMultiplyOutToTheBitsOfPassesThatAdd()
    {
        NetworkSpec network = new(40, [new DenseSpec(50, ActivationKind.Tanh), new DenseSpec(30, ActivationKind.Prelu), new DenseSpec(3, ActivationKind.Softmax)]);
        using var factored = new TestStage<float>(network, 4, LossKind.CrossEntropy, factoredRows: 12);
        using var added = new TestStage<float>(network, 4, LossKind.CrossEntropy);
        Tensor<float>[] sums = [.. added.Gradients.Select(gradient => new Tensor<float>(gradient.Rows, gradient.Columns))];
        foreach (int passes in (int[])[3, 2])
        {
            bool isSecond = passes == 2;
            for (int pass = 0; pass < passes; pass++)
            {
                foreach (TestStage<float> stage in (TestStage<float>[])[factored, added])
                {
                    TestValues.Fill(stage.Input.Span, (ulong)((10 * passes) + pass));
                    stage.Target.Span.Fill(0.25f);
                    stage.Pass(accumulate: isSecond || pass > 0);
                }
            }

            factored.Program.RowsIn(factored.Gradients).ShouldBe(4 * passes);
            factored.Program.MultiplyOut(factored.Gradients, [.. sums.Select(one => one.View)], [.. Enumerable.Repeat(4, passes)], accumulate: isSecond);
            factored.Program.RowsIn(factored.Gradients).ShouldBe(0);
            for (int i = 0; i < added.Gradients.Length; i++)
            {
                TensorView<float> sum = factored.Program.Parameters[i].FactoredRows > 0 ? sums[i].View : factored.Gradients[i];
                sum.Span.ToArray().ShouldBe(added.Gradients[i].Span.ToArray(), added.Program.Parameters[i].Name);
            }
        }

        foreach (Tensor<float> sum in sums)
        {
            sum.Dispose();
        }
    }

    [Fact]
    public void GradientsAsFactorsAreThoseOfTheirProducts()
    {
        NetworkSpec network = new(
            20, [new DenseSpec(30, ActivationKind.Tanh), new MaxoutSpec(12, 2), new DropoutSpec(0.2), new DenseSpec(12, ActivationKind.Prelu), new DenseSpec(12, ActivationKind.Linear, TiedTo: 3), new DenseSpec(2, ActivationKind.Softmax)]);
        const int StepRows = 4;
        foreach (int rows in (int[])[StepRows, 3, 0])
        {
            using var whole = new TestStage<double>(network, rows, LossKind.CrossEntropy);
            using var factored = new TestStage<double>(network, rows, LossKind.CrossEntropy, factoredRows: StepRows);
            factored.Program.Parameters.Where(parameter => parameter.FactoredRows > 0).Select(parameter => parameter.Name)
                .ShouldBe(["layers.0.weight", "layers.1.weight"], "the others are tied, or smaller than their factors");
            foreach (TestStage<double> stage in (TestStage<double>[])[whole, factored])
            {
                TestValues.Fill(stage.Input.Span, 5);
                TestValues.Fill(stage.Target.Span, 6, 0, 1);
                stage.Pass();
            }

            for (int i = 0; i < whole.Gradients.Length; i++)
            {
                ParameterSpec parameter = factored.Program.Parameters[i];
                if (parameter.FactoredRows == 0)
                {
                    TestValues.Bits<double>(factored.Gradients[i].Span).ShouldBe(TestValues.Bits<double>(whole.Gradients[i].Span), parameter.Name);
                    continue;
                }

                GradientFactors<double> factors = new(parameter, factored.Gradients[i]);
                factors.Rows.ShouldBe(rows);
                using Tensor<double> product = new(parameter.Rows, parameter.Columns);
                Gemm.Multiply(factors.Deltas, true, factors.Inputs, false, product.View);
                TestValues.Bits<double>(product.Span).ShouldBe(TestValues.Bits<double>(whole.Gradients[i].Span), parameter.Name);
            }
        }
    }

    [Fact]
    public void TheFirstLayersFactorsMayLackTheStagesInput()
    {
        NetworkSpec network = new(20, [new DenseSpec(30, ActivationKind.Tanh), new DenseSpec(20, ActivationKind.Tanh)]);
        using var all = new TestStage<double>(network, 4, LossKind.SquaredError, factoredRows: 4);
        using var lacking = new TestStage<double>(network, 4, LossKind.SquaredError, factoredRows: 4, leavesInput: true);
        (all.Program.InputFactor, lacking.Program.InputFactor).ShouldBe((-1, 0));
        foreach (TestStage<double> stage in (TestStage<double>[])[all, lacking])
        {
            TestValues.Fill(stage.Input.Span, 5);
            TestValues.Fill(stage.Target.Span, 6);
            Array.ForEach(stage.Gradients, gradient => gradient.Span.Fill(-7));
            stage.Pass();
        }

        const int Inputs = 4 * 20;
        lacking.Gradients[0].Span[..Inputs].ToArray().ShouldAllBe(value => value == -7);
        all.Gradients[0].Span[..Inputs].ToArray().ShouldBe(all.Input.Span.ToArray());
        lacking.Gradients[0].Span[Inputs..].ToArray().ShouldBe(all.Gradients[0].Span[Inputs..].ToArray());
        lacking.Gradients[2].Span.ToArray().ShouldBe(all.Gradients[2].Span.ToArray(), "a later layer's inputs are nobody else's");

        // A weight that is not factored, or that other layers come before, leaves nothing.
        new StageProgram<double>(network, 0, 2, null, factoredRows: 60, leavesInput: true).InputFactor.ShouldBe(-1);
        NetworkSpec behind = new(20, [new DropoutSpec(0.2), new DenseSpec(30, ActivationKind.Tanh)]);
        new StageProgram<double>(behind, 0, 2, null, factoredRows: 4, leavesInput: true).InputFactor.ShouldBe(-1);
    }

    [Fact]
    public void HelpersDoNotChangeABit()
    {
        using var alone = new TestStage<float>(Everything, 70, LossKind.CrossEntropy);
        using var helped = new TestStage<float>(Everything, 70, LossKind.CrossEntropy);
        FillInputs(alone);
        FillInputs(helped);
        alone.Pass();
        helped.Pass(fork: new BackwardsForkJoin());
        TestValues.Bits<float>(helped.Output.Span).ShouldBe(TestValues.Bits<float>(alone.Output.Span));
        helped.Gradients.Select(g => TestValues.Bits<float>(g.Span))
            .ShouldBe(alone.Gradients.Select(g => TestValues.Bits<float>(g.Span)));
    }

    [Fact]
    public void TheSignalIsNeverWrittenAndTheInputSignalIsOptional()
    {
        using var stage = new TestStage<float>(Everything, 5, LossKind.CrossEntropy);
        FillInputs(stage);
        stage.Forward();
        stage.Loss();
        ulong[] signal = TestValues.Bits<float>(stage.Signal.Span);
        stage.Backward();
        ulong[][] gradients = stage.Gradients.Select(g => TestValues.Bits<float>(g.Span)).ToArray();
        stage.InputSignal.Span.Fill(42);
        stage.Backward(inputSignal: false);
        TestValues.Bits<float>(stage.Signal.Span).ShouldBe(signal);
        stage.InputSignal.Span.ToArray().ShouldAllBe(v => v == 42);
        stage.Gradients.Select(g => TestValues.Bits<float>(g.Span)).ShouldBe(gradients);
    }

    [Fact]
    public void Float32IsCloseToFloat64OverAllKindsOfLayers()
    {
        using var exact = new TestStage<double>(Everything, 6, LossKind.CrossEntropy);
        using var single = new TestStage<float>(Everything, 6, LossKind.CrossEntropy);
        FillInputs(exact);
        FillInputs(single);
        double expected = exact.Pass().LossSum;
        single.Pass().LossSum.ShouldBe(expected, 1e-5 * Math.Abs(expected));
        for (int i = 0; i < exact.Gradients.Length; i++)
        {
            double[] values = single.Gradients[i].Span.ToArray().Select(v => (double)v).ToArray();
            ShouldBeClose<double>(values, exact.Gradients[i].Span, 2e-5, exact.Program.Parameters[i].Name);
        }
    }

    [Fact]
    public void AStepAllocatesNothingOnceTheScratchHasGrown()
    {
        using var stage = new TestStage<float>(Everything, 33, LossKind.CrossEntropy);
        FillInputs(stage);
        var optimizer = new Optimizer<float>(OptimizerDefaults.For(OptimizerKind.Adam, 1e-3));
        float[][] states = stage.Program.Parameters.Select(p => new float[2 * p.Length]).ToArray();
        long Step(int update)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            stage.Pass();
            for (int i = 0; i < states.Length; i++)
            {
                Span<float> w = stage.Parameters[i].Span;
                optimizer.Apply(1e-3, update, 1, w, stage.Gradients[i].Span, states[i], w, states[i]);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        for (int update = 1; update <= 50; update++)
        {
            Step(update);
        }

        long capacity = stage.Scratch.CapacityBytes;
        Step(51).ShouldBe(0);
        stage.Scratch.CapacityBytes.ShouldBe(capacity);
    }

    private static void SplitGivesTheSameBits<T>(int first, int second, int third)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int rows = 5;
        using var whole = new TestStage<T>(Everything, rows, LossKind.CrossEntropy);
        FillInputs(whole);
        LossResult expected = whole.Pass();
        int[] cuts = [0, first, second, third, Everything.Layers.Count];
        TestStage<T>[] stages = Enumerable.Range(0, 4).Select(i => new TestStage<T>(
            Everything, rows, i == 3 ? LossKind.CrossEntropy : null, cuts[i], cuts[i + 1] - cuts[i])).ToArray();
        whole.Input.Span.CopyTo(stages[0].Input.Span);
        whole.Target.Span.CopyTo(stages[3].Target.Span);
        for (int i = 0; i < 4; i++)
        {
            stages[i].Forward();
            if (i < 3)
            {
                stages[i].Output.Span.CopyTo(stages[i + 1].Input.Span);
            }
        }

        stages[3].Loss().ShouldBe(expected);
        for (int i = 3; i >= 0; i--)
        {
            stages[i].Backward();
            if (i > 0)
            {
                stages[i].InputSignal.Span.CopyTo(stages[i - 1].Signal.Span);
            }
        }

        TestValues.Bits<T>(stages[3].Output.Span).ShouldBe(TestValues.Bits<T>(whole.Output.Span));
        TestValues.Bits<T>(stages[0].InputSignal.Span).ShouldBe(TestValues.Bits<T>(whole.InputSignal.Span));
        stages.SelectMany(s => s.Gradients).Select(g => TestValues.Bits<T>(g.Span))
            .ShouldBe(whole.Gradients.Select(g => TestValues.Bits<T>(g.Span)));
        Array.ForEach(stages, s => s.Dispose());
    }

    private static void FillInputs<T>(TestStage<T> stage)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TestValues.Fill(stage.Input.Span, 5);
        for (int row = 0; row < stage.Target.Rows; row++)
        {
            stage.Target.View.Row(row)[row % stage.Target.Columns] = T.One;
        }
    }

    private static void ShouldBeClose<T>(ReadOnlySpan<T> values, ReadOnlySpan<T> expected, double tolerance, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            double e = double.CreateChecked(expected[i]);
            double.CreateChecked(values[i]).ShouldBe(e, tolerance * Math.Max(1, Math.Abs(e)), $"{name}[{i}]");
        }
    }

    private sealed class BackwardsForkJoin : IForkJoin
    {
        public int Width => 3;

        public void Run(IChunkedWork work, int chunks)
        {
            for (int chunk = chunks - 1; chunk >= 0; chunk--)
            {
                work.RunChunk(chunk);
            }
        }
    }
}
