using DistTrain.Engines.Shared;
using DistTrain.Engines.Tests.Support;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

public sealed class SnapshotFilesTests : IDisposable
{
    private static readonly ParameterServerSettings TopK = new() { Compression = CompressionKind.TopK, TopKRatio = 0.5 };

    private readonly TestFolder _folder = new();
    private readonly BufferPool _pool = new();

    [Fact]
    public void ASnapshotComesBackValueByValueInAnyLayout()
    {
        RunPlan written = Plan([1, 1, 1], shards: 3), read = Plan([2, 1], shards: 1);
        Write(written, 4);
        SnapshotFiles files = new(_folder.Journal, read);
        foreach (SlicePlan slice in read.Slices)
        {
            RestoreJob job = new(slice, 2) { Step = 4 };
            files.TryRead(job, _pool).ShouldBeTrue();
            (job.Updates, job.AppliedSteps[0], job.AppliedSteps[1]).ShouldBe((4, 4, 4));
            int offset = 0;
            foreach (Numerics.Layers.ParameterSpec parameter in slice.Parameters)
            {
                // Weights, two moments, two residuals: each tensor has its own numbers in each.
                foreach ((int part, int count) in ((int, int)[])[(0, 1), (1, 2), (2, 1), (3, 1)])
                {
                    _pool.View<float>(job.Outputs[part]).Span.Slice(offset * count, parameter.Length * count).ToArray()
                        .ShouldBe(Enumerable.Range(0, parameter.Length * count).Select(index => Value(parameter.Name, part, index)), parameter.Name);
                }

                offset += parameter.Length;
            }
        }
    }

    /// <summary>Not every step updates every slice, and contributions of asynchronous replicas reach one slice before another.</summary>
    [Fact]
    public void EverySliceComesBackWithItsOwnUpdatesAndContributions()
    {
        RunPlan plan = Plan([1, 1, 1], shards: 2);
        Write(plan, 4, updatesOf: slice => slice.Index);
        SnapshotFiles files = new(_folder.Journal, plan);
        foreach (SlicePlan slice in plan.Slices)
        {
            RestoreJob job = new(slice, 2) { Step = 4 };
            files.TryRead(job, _pool).ShouldBeTrue();
            (job.Updates, job.AppliedSteps[0], job.AppliedSteps[1]).ShouldBe((slice.Index, slice.Index, slice.Index));
        }
    }

    [Fact]
    public void SlicesOfDifferentUpdatesAreNotPutTogether()
    {
        Write(Plan([1, 1, 1], shards: 2), 4, updatesOf: slice => slice.Index);
        RunPlan other = Plan([3], shards: 1);
        InvalidInputException refused = Should.Throw<InvalidInputException>(
            () => new SnapshotFiles(_folder.Journal, other).TryRead(new RestoreJob(other.Slices[0], 2) { Step = 4 }, _pool));
        refused.Message.ShouldContain("have had different updates; expected the stages and shards with which the run was kept");
    }

    [Fact]
    public void ASnapshotExistsOnceItsLastPartDoes()
    {
        RunPlan plan = Plan([3], shards: 1);
        SnapshotFiles files = Write(plan, 4, complete: false);
        Journal.LastSnapshotStep(_folder.Journal).ShouldBeNull();
        files.TryRead(new RestoreJob(plan.Slices[0], 2) { Step = 4 }, _pool).ShouldBeFalse();

        files.Complete(new CoordinatorProgress { Step = 4, RateFactor = 0.25, BestLoss = 0.125, EvaluationsSinceBest = 3, EpochRows = 7 });
        SnapshotFiles.Newest(_folder.Journal).ShouldBe(
            new CoordinatorProgress { Step = 4, RateFactor = 0.25, BestLoss = 0.125, EvaluationsSinceBest = 3, EpochRows = 7 });
    }

    [Fact]
    public void TheNewestTwoAreKept()
    {
        RunPlan plan = Plan([3], shards: 1);
        for (long step = 2; step <= 12; step += 2)
        {
            Write(plan, step);
        }

        Directory.GetDirectories(_folder.Journal).Select(Path.GetFileName).Order(StringComparer.Ordinal)
            .ShouldBe(["step-000000010", "step-000000012"]);
    }

    public void Dispose()
    {
        _pool.Dispose();
        _folder.Dispose();
    }

    private SnapshotFiles Write(RunPlan plan, long step, bool complete = true, Func<SlicePlan, long>? updatesOf = null)
    {
        SnapshotFiles files = new(_folder.Journal, plan);
        foreach (SlicePlan slice in plan.Slices)
        {
            BufferHandle[] buffers = [Part(slice, 0, 1), Part(slice, 1, 2), Part(slice, 2, 1), Part(slice, 3, 1)];
            long updates = updatesOf?.Invoke(slice) ?? step;
            files.Write(new KeptSlice(slice.Index, step, updates, [updates, updates], buffers), _pool);
        }

        if (complete)
        {
            files.Complete(new CoordinatorProgress { Step = step });
        }

        return files;
    }

    private BufferHandle Part(SlicePlan slice, int part, int count)
    {
        BufferHandle buffer = _pool.Rent(slice.Length * count * sizeof(float));
        Span<float> values = _pool.View<float>(buffer).Span;
        foreach (Numerics.Layers.ParameterSpec parameter in slice.Parameters)
        {
            for (int index = 0; index < parameter.Length * count; index++)
            {
                values[index] = Value(parameter.Name, part, index);
            }

            values = values[(parameter.Length * count)..];
        }

        return buffer;
    }

    private static float Value(string name, int part, int index) => (name.Sum(letter => letter) * 10) + (part * 1_000_000) + (index * 0.25f);

    private static RunPlan Plan(int[] stages, int shards) => new(
        Runs.Settings with
        {
            Stages = stages,
            Replicas = 2,
            Optimizer = OptimizerDefaults.For(Numerics.Networks.OptimizerKind.Adam, 0.01),
            ParameterServer = TopK with { Shards = shards },
        },
        38,
        12);
}
