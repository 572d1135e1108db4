using System.Runtime.InteropServices;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Tests.Support;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

/// <summary>Decisions on the whole model, and where tensors lie in slices.</summary>
public sealed class ShardArithmeticTests : IDisposable
{
    private readonly BufferPool _pool = new();
    private readonly ComputeScratch _scratch = new();

    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    [InlineData(1e6)]
    public void TheClipFactorIsThatOfTheNormOverAllSlices(double clip)
    {
        RunRequest request = Runs.Of(settings => settings with
        {
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { ClipNorm = clip },
            ParameterServer = new ParameterServerSettings { Shards = 3 },
        });
        RunPlan plan = Plan(request);
        DecideJob decide = Decide(request, plan, (slice, _, index) => (slice + 1) * 0.01 * ((index % 5) - 2));

        double squares = 0;
        foreach (SlicePlan slice in plan.Slices)
        {
            squares += Enumerable.Range(0, slice.Length).Sum(index => Math.Pow((float)((slice.Index + 1) * 0.01 * ((index % 5) - 2)), 2));
        }

        decide.GradientScale.ShouldBe(Math.Min(1, clip / (Math.Sqrt(squares) + 1e-6)), 1e-6);
        decide.ChosenReplica.ShouldBe(-1);
    }

    [Fact]
    public void AGradientOfZeroIsNotDividedByZero()
    {
        RunRequest request = Runs.Of(settings => settings with { Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { ClipNorm = 1 } });
        Decide(request, Plan(request), (_, _, _) => 0).GradientScale.ShouldBe(1);
    }

    [Fact]
    public void KrumTakesAContributionOfTheMajority()
    {
        // Replica 2 says ten times the opposite; replica 4 is nearest to the rest.
        double[] says = [1, 1.2, -10, 0.9, 1.05];
        RunRequest request = Runs.Of(settings => settings with
        {
            Replicas = 5,
            Training = settings.Training with { MicroBatches = 1 },
            ParameterServer = new ParameterServerSettings { Shards = 2, Aggregate = Aggregate.Krum },
        });
        DecideJob decide = Decide(request, Plan(request), (_, replica, _) => says[replica]);
        decide.ChosenReplica.ShouldBe(0, "scores: 0 has 0.05² + 0.1², 4 has 0.05² + 0.15²");
        decide.GradientScale.ShouldBe(1);
    }

    [Fact]
    public void TensorsAreFoundWhereTheirSliceHasThem()
    {
        RunRequest request = Runs.Of(settings => settings with { Stages = [2, 1], ParameterServer = new ParameterServerSettings { Shards = 2 } });
        RunPlan plan = Plan(request);
        foreach (StagePlan stage in plan.Stages)
        {
            SliceLayout layout = new(plan, stage);
            layout.Lengths.ShouldBe(stage.Slices.Select(slice => plan.Slices[slice].Length));

            // Every value of every slice is its own number: slice × 1000 + position.
            BufferHandle[] slices = [.. stage.Slices.Select(slice => Filled(plan.Slices[slice].Length, index => (slice * 1000) + index))];
            TensorView<float>[] views = new TensorView<float>[stage.Parameters.Count];
            layout.Views<float>(_pool, slices, views);
            for (int i = 0; i < views.Length; i++)
            {
                ParameterPlace place = plan.Parameters.Single(candidate => candidate.Parameter.Name == stage.Parameters[i].Name);
                (views[i].Rows, views[i].Columns).ShouldBe((place.Parameter.Rows, place.Parameter.Columns));
                views[i].Span.ToArray().ShouldBe(
                    Enumerable.Range(0, place.Parameter.Length).Select(index => (float)((place.Slice * 1000) + place.Offset + index)));
            }
        }
    }

    [Fact]
    public void InitialParametersAreThoseThatWereGiven()
    {
        RunRequest request = Runs.Of(settings => settings with { ParameterServer = new ParameterServerSettings { Shards = 3 } });
        RunPlan plan = Plan(request);
        Dictionary<string, byte[]> given = plan.Parameters.ToDictionary(
            place => place.Parameter.Name,
            place => MemoryMarshal.AsBytes(Enumerable.Range(0, place.Parameter.Length).Select(i => place.Offset + (i * 0.5f)).ToArray().AsSpan()).ToArray(),
            StringComparer.Ordinal);
        using KeptParameters read = Arithmetic(request with { InitialWeights = given }, plan).ReadParameters(0);
        read.Count.ShouldBe(plan.Parameters.Count);
        for (int i = 0; i < read.Count; i++)
        {
            read.ValuesOf(i).ShouldBe(given[plan.Parameters[i].Parameter.Name]);
        }

        _pool.Live.ShouldBe(0);
    }

    public void Dispose()
    {
        _scratch.Dispose();
        _pool.Dispose();
    }

    private DecideJob Decide(RunRequest request, RunPlan plan, Func<int, int, int, double> gradient)
    {
        ShardArithmetic<float> arithmetic = Arithmetic(request, plan);
        DecideJob decide = new(plan.Slices.Count);
        foreach (SlicePlan slice in plan.Slices)
        {
            PartialsJob partials = new(slice.Index, plan.Settings.Replicas);
            for (int replica = 0; replica < plan.Settings.Replicas; replica++)
            {
                partials.Inputs[replica] = Filled(slice.Length, index => gradient(slice.Index, replica, index));
            }

            arithmetic.Run(partials, _scratch, fork: null);
            decide.Inputs[slice.Index] = partials.Outputs[0];
        }

        arithmetic.Run(decide, _scratch, fork: null);
        return decide;
    }

    private BufferHandle Filled(int length, Func<int, double> value)
    {
        BufferHandle buffer = _pool.Rent(length * sizeof(float));
        Span<float> values = _pool.View<float>(buffer).Span;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)value(i);
        }

        return buffer;
    }

    private ShardArithmetic<float> Arithmetic(RunRequest request, RunPlan plan) => new(request, plan, _pool, new SnapshotStore(_pool, null));

    private static RunPlan Plan(RunRequest request) => new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
}
