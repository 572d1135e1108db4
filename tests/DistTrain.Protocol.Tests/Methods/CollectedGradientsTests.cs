using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Methods;

/// <summary>When stages of large weights multiply out gradients of micro-batches with few rows: behind signals, and the last micro-batch alone.</summary>
public sealed class CollectedGradientsTests
{
    /// <summary>B: backward pass, S: signal sent, G: gradients of so many micro-batches multiplied out.</summary>
    [Theory]
    [InlineData(3, 0, "B B G2   B G1")]
    [InlineData(3, 1, "BS BS G2 BS G1")]
    [InlineData(6, 0, "B B B G3    B B G2   B G1")]
    [InlineData(6, 1, "BS BS BS G3 BS BS G2 BS G1")]
    [InlineData(7, 0, "B B B G3    B B B G3    B G1")]
    [InlineData(7, 1, "BS BS BS G3 BS BS BS G3 BS G1")]
    public void GradientsOfThreeMicroBatchesAreMultipliedOutBehindTheThirdsSignal(int microBatches, int stage, string expected)
    {
        RunPlan plan = Plan(40 * microBatches, microBatches);
        plan.CollectedMicroBatches.ShouldBe(Math.Min(3, microBatches - 1));
        string passes = "";
        foreach (Instruction instruction in StepOf(plan, stage))
        {
            passes += instruction.Kind switch
            {
                InstructionKind.Backward => " B",
                InstructionKind.SendSignal => "S",
                InstructionKind.Gradient => $" G{plan.MultipliedOutAfter(instruction.MicroBatch)}",
                _ => "",
            };
        }

        passes.Trim().ShouldBe(string.Join(' ', expected.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData(40, 2, 400, "of two micro-batches the last comes alone")]
    [InlineData(65, 8, 400, "two have more rows than are collected")]
    [InlineData(40, 8, 200, "factors of 120 rows are more values than the weight")]
    public void OtherwiseBackwardPassesAddTheirOwn(int rows, int microBatches, int width, string why)
    {
        RunPlan plan = Plan(rows * microBatches, microBatches, width);
        plan.Parameters.Any(place => plan.IsCollected(place.Parameter)).ShouldBeFalse(why);
        StepOf(plan, 0).ShouldNotContain(instruction => instruction.Kind == InstructionKind.Gradient, why);
    }

    [Fact]
    public void WhereJobsAreWatchedForStragglersNoneIsLongerThanAPass()
    {
        RunPlan plan = Plan(280, 7);
        plan.CollectedMicroBatches.ShouldBe(3);
        new RunPlan(plan.Settings with { BackupAfter = TimeSpan.FromSeconds(1) }, plan.TrainRows, 0).CollectedMicroBatches.ShouldBe(0);
    }

    [Fact]
    public void EveryMicroBatchIsMultipliedOutOnceAndTheirFactorsFindRoom()
    {
        for (int microBatches = 3; microBatches <= 40; microBatches++)
        {
            foreach (int rows in (int[])[1, 2, 7, 16, 40, 64])
            {
                foreach (int replicas in (int[])[1, 2, 3])
                {
                    // Most micro-batches have as many rows, some one less; in the second step nearly all have none.
                    int batch = (rows * microBatches * replicas) - 1;
                    RunPlan plan = Plan(batch, microBatches, replicas: replicas, trainRows: batch + 3);
                    for (int replica = 0; replica < replicas; replica++)
                    {
                        MultipliesOutEachOnce(plan, 1, replica);
                        MultipliesOutEachOnce(plan, 2, replica);
                    }
                }
            }
        }
    }

    private static void MultipliesOutEachOnce(RunPlan plan, long step, int replica)
    {
        int done = 0;
        for (int microBatch = 0; microBatch < plan.Settings.Training.MicroBatches; microBatch++)
        {
            int behind = plan.MultipliedOutAfter(microBatch);
            plan.RowsOf(step, replica, microBatch, behind).ShouldBeLessThanOrEqualTo(plan.CollectedRows);
            done += behind;
            done.ShouldBe(behind > 0 ? microBatch + 1 : done, "none is left out, and none comes twice");
        }

        done.ShouldBe(plan.CollectedMicroBatches > 0 ? plan.Settings.Training.MicroBatches : 0);
    }

    private static List<Instruction> StepOf(RunPlan plan, int stage)
    {
        InstructionSource source = plan.Method.Instructions(plan, stage, 0);
        source.Issue(1, barrier: false);
        List<Instruction> all = [];
        while (source.TryNext(out Instruction instruction))
        {
            all.Add(instruction);
        }

        return all;
    }

    /// <summary>Two stages of one layer.</summary>
    private static RunPlan Plan(int batch, int microBatches, int width = 400, int replicas = 1, int? trainRows = null) => new(
        new RunSettings
        {
            Name = "collected",
            Network = new NetworkSpec(width, [new DenseSpec(width, ActivationKind.Tanh), new DenseSpec(width, ActivationKind.Softmax)]),
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1),
            Training = new TrainingSettings(1, batch, microBatches),
            Stages = [1, 1],
            Replicas = replicas,
        },
        trainRows ?? batch,
        0);
}
