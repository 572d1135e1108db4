using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Planning;

public sealed class CostJobsTests
{
    private const int Rows = 8;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TheJobsOfAStepAddUpToThePlansMultiplyAdds(int stages)
    {
        RunSettings settings = Settings(stages);
        RunPlan plan = new(settings, 16, 0);
        CostJobs costs = new(plan);
        double flops = 0;
        for (int stage = 0; stage < stages; stage++)
        {
            flops += costs.Of(new ForwardJob(stage, 0, 1) { Rows = Rows }).Flops + costs.Of(new BackwardJob(stage, 0, 1) { Rows = Rows, PassesSignal = stage > 0 }).Flops;
        }

        double planned = CostModel.Of(settings, 16, 0).Methods.First(entry => entry.Refusal is null).Arithmetic!.PerStep;
        flops.ShouldBe(2 * planned);

        // By hand: forward 8 rows × (5·7 + 7·6 + 6·3); backward the weights' gradients and the signals but the first.
        flops.ShouldBe(2 * Rows * ((35 + 42 + 18) + (35 + 42 + 18) + (42 + 18)));
    }

    [Fact]
    public void TheProductOfFactorsBelongsToTheUpdate()
    {
        RunSettings settings = Settings(1) with { Training = new TrainingSettings(1, 2) };
        RunPlan plan = new(settings, 16, 0);
        plan.Parameters.Where(place => place.Parameter.FactoredRows > 0).Select(place => place.Parameter.Name).ShouldBe(["layers.0.weight", "layers.1.weight"]);
        CostJobs costs = new(plan);

        // The signals of two layers and the last one's gradient are left to the backward pass, and an operation for each value of the slice.
        costs.Of(new BackwardJob(0, 0, 1) { Rows = 2 }).Flops.ShouldBe(2 * 2 * (18 + 42 + 18));
        costs.Of(new ApplyJob(0, 1)).Flops.ShouldBe((2 * 2 * (35 + 42)) + plan.Slices[0].Length);
    }

    [Fact]
    public void AnUpdateReadsAndWritesItsSlice()
    {
        RunPlan plan = new(Settings(1), 16, 0);
        int length = plan.Slices[0].Length;
        length.ShouldBe(35 + 7 + 42 + 6 + 18 + 3);

        // Weights and contribution in, weights out, and a value of momentum each in and out: 4 bytes each.
        new CostJobs(plan).Of(new ApplyJob(0, 1)).Bytes.ShouldBe(4 * 5.0 * length);
        new CostJobs(plan).Of(new SnapshotJob(plan.Slices[0], 1)).Bytes.ShouldBe(4 * 2.0 * length);
    }

    private static RunSettings Settings(int stages) => new()
    {
        Name = "costs",
        Network = new NetworkSpec(5, [new DenseSpec(7, ActivationKind.Relu), new DenseSpec(6, ActivationKind.Tanh), new DenseSpec(3, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 },
        Training = new TrainingSettings(1, Rows),
        Stages = stages == 1 ? [3] : [1, 1, 1],
    };
}
