using System.Runtime.InteropServices;
using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>Front contribution is backpropagation's trajectory, in coordinates of its own.</summary>
public sealed class FrontContributionTests
{
    private static readonly LayerSpec Maxout = new MaxoutSpec(5, 3), KCompetitive = new KCompetitiveSpec(9, 4, 1.5), Prelu = new DenseSpec(9, ActivationKind.Prelu, Bias: false);

    private static readonly FrontRun AllCollapsed = new()
    {
        Collapse = Collapse.All,
        First = new DenseSpec(40, ActivationKind.Relu),
        Between = [new DenseSpec(25, ActivationKind.Elu), new DenseSpec(12, ActivationKind.Tanh)],
    };

    public static TheoryData<string> Cases => [.. Runs.Keys];

    internal static SortedDictionary<string, FrontRun> Runs { get; } = new(StringComparer.Ordinal)
    {
        ["gram, one hidden layer"] = new FrontRun(),
        ["basis, one hidden layer"] = new FrontRun { Form = ContributionForm.Basis },
        ["basis, more rows than features"] = new FrontRun { Form = ContributionForm.Basis, Features = 17 },
        ["gram, more rows than features"] = new FrontRun { Features = 17 },
        ["gram, three hidden layers"] = new FrontRun { HiddenLayers = 3 },
        ["basis, three hidden layers"] = new FrontRun { HiddenLayers = 3, Form = ContributionForm.Basis },
        ["gram, three shares"] = new FrontRun { Shares = 3 },
        ["gram, three shares, three hidden layers, nesterov"] = new FrontRun { Shares = 3, HiddenLayers = 3, Nesterov = true },
        ["gram, nesterov, clipping"] = new FrontRun { Nesterov = true, Clips = true },
        ["gram, clipping"] = new FrontRun { Clips = true },
        ["basis, nesterov, clipping"] = new FrontRun { Form = ContributionForm.Basis, Nesterov = true, Clips = true },
        ["gram, three shares, clipping"] = new FrontRun { Shares = 3, Clips = true },
        ["gram, micro-batches"] = new FrontRun { MicroBatches = 3 },
        ["basis, micro-batches, clipping"] = new FrontRun { Form = ContributionForm.Basis, MicroBatches = 3, Clips = true },
        ["gram, maxout"] = new FrontRun { First = Maxout, Clips = true },
        ["basis, maxout"] = new FrontRun { First = Maxout, Form = ContributionForm.Basis },
        ["gram, k-competitive"] = new FrontRun { First = KCompetitive },
        ["basis, k-competitive"] = new FrontRun { First = KCompetitive, Form = ContributionForm.Basis },
        ["gram, prelu without bias"] = new FrontRun { First = Prelu, Nesterov = true },

        // The histories of these have room for 40 and 25 rows, so they are folded every five and every three steps.
        ["all, gram, one hidden layer"] = new FrontRun { Collapse = Collapse.All },
        ["all, basis, one hidden layer"] = new FrontRun { Collapse = Collapse.All, Form = ContributionForm.Basis },
        ["all, gram"] = AllCollapsed,
        ["all, basis"] = AllCollapsed with { Form = ContributionForm.Basis },
        ["all, gram, three shares"] = AllCollapsed with { Shares = 3 },
        ["all, gram, three shares, nesterov, clipping"] = AllCollapsed with { Shares = 3, Nesterov = true, Clips = true },
        ["all, gram, clipping"] = AllCollapsed with { Clips = true },
        ["all, basis, clipping"] = AllCollapsed with { Form = ContributionForm.Basis, Clips = true },
        ["all, basis, nesterov"] = AllCollapsed with { Form = ContributionForm.Basis, Nesterov = true },
        ["all, gram, micro-batches"] = AllCollapsed with { MicroBatches = 3 },
        ["all, basis, micro-batches, nesterov, clipping"] = AllCollapsed with { Form = ContributionForm.Basis, MicroBatches = 3, Nesterov = true, Clips = true },
        ["all, gram, no momentum"] = AllCollapsed with { Momentum = 0, LearningRate = 0.1 },
        ["all, gram, folded at every step"] = AllCollapsed with { First = new DenseSpec(9, ActivationKind.Tanh), Between = null, HiddenLayers = 3 },
        ["all, gram, never folded"] = AllCollapsed with { First = new DenseSpec(1040, ActivationKind.Relu), Between = [Prelu], BatchSize = 1, Epochs = 24, LearningRate = 0.002 },
        ["all, gram, layers of every kind"] = AllCollapsed with { Between = [Maxout, new DropoutSpec(0.2), KCompetitive, Prelu], Nesterov = true },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryStepHasTheLossOfBackpropagationAndTheExpandedWeightsAreItsWeights(string name)
    {
        FrontRun run = Runs[name];
        Observed backprop = new(), front = new();
        RunOutcome expected = Trainers.RunSequentially(run.Backprop, backprop), outcome = Trainers.RunSequentially(run.Front, front);

        outcome.Status.ShouldBe(RunStatus.Completed);
        front.Steps.Count.ShouldBe(backprop.Steps.Count);
        front.Steps.Count.ShouldBeGreaterThanOrEqualTo(1000);
        foreach ((StepProgress actual, StepProgress reference) in front.Steps.Zip(backprop.Steps))
        {
            Math.Abs(actual.Loss - reference.Loss).ShouldBeLessThanOrEqualTo(1e-12 * Math.Max(1, reference.Loss), $"step {actual.Step}");
        }

        LargestDistance(outcome, expected).ShouldBeLessThanOrEqualTo(1e-10);
        expected.FinalLoss.ShouldBeLessThan(0.8 * backprop.Steps[0].Loss, "the run has learned something");
        front.Epochs.Zip(backprop.Epochs).Where(pair => pair.Second.TestLoss is not null)
            .ShouldAllBe(pair => Math.Abs(pair.First.TestLoss!.Value - pair.Second.TestLoss!.Value) <= 1e-11);
        outcome.FinalLoss.ShouldBe(expected.FinalLoss, 1e-11);
        (outcome.TrainAccuracy, outcome.TestAccuracy).ShouldBe((expected.TrainAccuracy, expected.TestAccuracy));
    }

    [Theory]
    [InlineData(ContributionForm.Gram, false, Collapse.Input)]
    [InlineData(ContributionForm.Basis, false, Collapse.Input)]
    [InlineData(ContributionForm.Gram, true, Collapse.Input)]
    [InlineData(ContributionForm.Gram, false, Collapse.All)]
    [InlineData(ContributionForm.Basis, false, Collapse.All)]
    [InlineData(ContributionForm.Gram, true, Collapse.All)]
    public void InFloat32ItIsAsNearToTheFloat64RunAsBackpropagationIs(ContributionForm form, bool clips, Collapse collapse)
    {
        FrontRun run = (collapse == Collapse.All ? AllCollapsed : new FrontRun()) with { Form = form, Clips = clips }, single = run with { Precision = Precision.Float32 };
        Observed exact = new(), backprop = new(), front = new();
        Trainers.RunSequentially(run.Backprop, exact);
        Trainers.RunSequentially(single.Backprop, backprop);
        Trainers.RunSequentially(single.Front, front);
        double own = Largest(backprop, exact), contributed = Largest(front, exact);
        contributed.ShouldBeLessThanOrEqualTo((4 * own) + 1e-6);
        contributed.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void TheCasesThatClipDoClip()
    {
        FrontRun run = new() { Clips = true, Epochs = 2 };
        Trainers.RunSequentially(run.Front).FinalLoss.ShouldNotBe(Trainers.RunSequentially((run with { Clips = false }).Front).FinalLoss);
    }

    private static double Largest(Observed run, Observed exact) =>
        run.Steps.Zip(exact.Steps).Max(pair => Math.Abs(pair.First.Loss - pair.Second.Loss));

    private static double LargestDistance(RunOutcome outcome, RunOutcome expected)
    {
        double largest = 0;
        outcome.Parameters.Select(parameter => parameter.Spec).ShouldBe(expected.Parameters.Select(parameter => parameter.Spec));
        foreach (((ParameterSpec _, byte[] actual), (ParameterSpec _, byte[] reference)) in outcome.Parameters.Zip(expected.Parameters))
        {
            ReadOnlySpan<double> a = MemoryMarshal.Cast<byte, double>(actual), b = MemoryMarshal.Cast<byte, double>(reference);
            for (int i = 0; i < a.Length; i++)
            {
                largest = Math.Max(largest, Math.Abs(a[i] - b[i]));
            }
        }

        return largest;
    }
}
