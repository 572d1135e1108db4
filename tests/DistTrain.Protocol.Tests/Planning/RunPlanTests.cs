using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Planning;

public sealed class RunPlanTests
{
    [Fact]
    public void EveryTensorLiesInOneSliceAndSlicesHaveNoGaps()
    {
        for (int shards = 1; shards <= 6; shards++)
        {
            RunPlan plan = Plan(shards: shards);
            plan.Parameters.Select(place => place.Parameter.Name).ShouldBeUnique();
            plan.Parameters.Select(place => place.Parameter).ShouldBe(plan.Stages.SelectMany(stage => stage.Parameters));
            foreach (SlicePlan slice in plan.Slices)
            {
                plan.Slices[slice.Index].ShouldBe(slice);
                plan.Stages[slice.Stage].Slices.ShouldContain(slice.Index);
                slice.Length.ShouldBe(slice.Parameters.Sum(parameter => parameter.Length));
                int offset = 0;
                foreach (var parameter in slice.Parameters)
                {
                    plan.Parameters.Single(place => place.Parameter == parameter).ShouldBe(new ParameterPlace(parameter, slice.Index, offset));
                    offset += parameter.Length;
                }
            }

            plan.Slices.Sum(slice => slice.Parameters.Count).ShouldBe(plan.Parameters.Count);
        }
    }

    [Fact]
    public void ShardsDifferByNoMoreThanTheLargestTensor()
    {
        for (int shards = 1; shards <= 6; shards++)
        {
            RunPlan plan = Plan(shards: shards);
            int[] load = [.. Enumerable.Range(0, shards).Select(shard => plan.Slices.Where(slice => slice.Shard == shard).Sum(slice => slice.Length))];
            (load.Max() - load.Min()).ShouldBeLessThanOrEqualTo(plan.Parameters.Max(place => place.Parameter.Length));
        }
    }

    [Fact]
    public void MoreShardsThanTensorsLeaveShardsWithoutSlices()
    {
        RunPlan plan = Plan(shards: 20);
        plan.Slices.Count.ShouldBe(plan.Parameters.Count);
        plan.Slices.Select(slice => slice.Shard).ShouldBeUnique();
    }

    [Fact]
    public void RowsOfReplicasAndMicroBatchesCoverEveryStepExactly()
    {
        foreach ((int rows, int batch) in new[] { (1, 1), (37, 10), (64, 64), (101, 7), (5, 4) })
        {
            for (int replicas = 1; replicas <= 4; replicas++)
            {
                for (int microBatches = 1; microBatches <= 9; microBatches++)
                {
                    RunPlan plan = Plan(rows, batch, replicas, microBatches);
                    CheckRows(plan, replicas, microBatches);
                    Enumerable.Range(1, plan.StepsPerEpoch).Sum(step => plan.RowsInStep(step)).ShouldBe(rows);
                }
            }
        }
    }

    [Fact]
    public void EpochsEndWithTheirLastPartialBatch()
    {
        RunPlan plan = Plan(rows: 37, batch: 10);
        plan.StepsPerEpoch.ShouldBe(4);
        plan.TotalSteps.ShouldBe(12);
        Enumerable.Range(1, 12).Where(step => plan.EndsEpoch(step)).ShouldBe([4, 8, 12]);
        Enumerable.Range(1, 12).Select(step => plan.EpochOf(step)).ShouldBe([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
        Enumerable.Range(1, 8).Select(step => plan.RowsInStep(step)).ShouldBe([10, 10, 10, 7, 10, 10, 10, 7]);
    }

    private static void CheckRows(RunPlan plan, int replicas, int microBatches)
    {
        for (int step = 1; step <= plan.StepsPerEpoch + 1; step++)
        {
            int next = 0;
            for (int replica = 0; replica < replicas; replica++)
            {
                for (int microBatch = 0; microBatch < microBatches; microBatch++)
                {
                    (int first, int count) = plan.RowsOf(step, replica, microBatch);
                    first.ShouldBe(next);
                    count.ShouldBeGreaterThanOrEqualTo(0);
                    next += count;
                }
            }

            next.ShouldBe(plan.RowsInStep(step));
        }
    }

    [Fact]
    public void GradientsTravelAsFactorsWhereNothingNeedsOrAddsWholeOnes()
    {
        // 3 rows of 7 inputs and 9 deltas, and their number, are fewer values than 63 weights; of 9 and 4 they are not.
        RunPlan plan = Plan(batch: 3);
        plan.FactoredRows.ShouldBe(3);
        plan.Parameters.Where(place => place.Parameter.FactoredRows > 0).Select(place => place.Parameter.Name).ShouldBe(["layers.0.weight"]);
        (plan.IsFactored(0), plan.IsFactored(2)).ShouldBe((true, false));
        plan.Slices[0].GradientLength.ShouldBe((3 * 16) + 1 + 9);
        Plan(rows: 2, batch: 10).FactoredRows.ShouldBe(2, "no step has more rows than there are");

        Plan(batch: 3, replicas: 2).FactoredRows.ShouldBe(0);
        Plan(batch: 3, microBatches: 3).FactoredRows.ShouldBe(0);
        foreach (Func<RunSettings, RunSettings> change in (Func<RunSettings, RunSettings>[])
        [
            settings => settings with { Optimizer = settings.Optimizer with { ClipNorm = 1 } },
            settings => settings with { ParameterServer = settings.ParameterServer with { Compression = CompressionKind.Fp16 } },
            settings => settings with { ParameterServer = settings.ParameterServer with { Consistency = Consistency.Async } },
            settings => settings with { Method = new MethodSettings("pipedream") },
        ])
        {
            RunPlan other = new(change(plan.Settings), 37, 0);
            other.FactoredRows.ShouldBe(0);
            other.Parameters.ShouldAllBe(place => place.Parameter.GradientLength == place.Parameter.Length);
        }
    }

    private static RunPlan Plan(int rows = 37, int batch = 10, int replicas = 1, int microBatches = 1, int shards = 1) => new(
        new RunSettings
        {
            Name = "plan",
            Network = new NetworkSpec(
                7, [new DenseSpec(9, ActivationKind.Relu), new DropoutSpec(0.5), new DenseSpec(4, ActivationKind.Tanh, Bias: false), new DenseSpec(2, ActivationKind.Linear)]),
            Loss = LossKind.SquaredError,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1),
            Training = new TrainingSettings(3, batch, microBatches),
            Stages = [1, 2, 1],
            Replicas = replicas,
            ParameterServer = new ParameterServerSettings { Shards = shards },
        },
        rows,
        0);
}
