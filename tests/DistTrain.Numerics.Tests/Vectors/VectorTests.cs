using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Vectors;

public sealed class VectorTests
{
    public static TheoryData<string> Cases => [.. VectorCase.Names];

    [Fact]
    public void AllTwentyCasesAreThere() => VectorCase.Names.Count.ShouldBe(20);

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheReferenceTrajectoryIsReproducedInFloat64(string name) => Replay<double>(VectorCase.Load(name), 1e-10);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Float32StaysCloseToTheReference(string name) => Replay<float>(VectorCase.Load(name), 2e-5);

    private static void Replay<T>(VectorCase reference, double tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int rows = reference.Batches[0].Inputs.Rows;
        using var stage = new TestStage<T>(reference.Network, rows, reference.Loss) { RowWeight = 1.0 / rows };
        var optimizer = new Optimizer<T>(reference.Optimizer);
        T[][] states = stage.Program.Parameters.Select(p => new T[p.Length * optimizer.StateCount]).ToArray();
        stage.Program.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal).ShouldBe(reference.Initial.Keys);
        foreach (ParameterSpec parameter in stage.Program.Parameters)
        {
            Copy(reference.Initial[parameter.Name], stage.Parameter(parameter.Name).Span);
        }

        for (int step = 0; step < reference.Steps; step++)
        {
            VectorCase.Batch batch = reference.Batches[step % reference.Batches.Count];
            Copy(batch.Inputs, stage.Input.Span);
            Copy(batch.Targets, stage.Target.Span);
            double loss = stage.Pass().LossSum / rows;
            loss





























                .ShouldBe(reference.Losses[step], tolerance * Math.Max(1, Math.Abs(reference.Losses[step])), $"loss of step {step}");
            if (step == 0)
            {
                ShouldBe(stage.Output.Span, reference.OutputOfStep0, tolerance, "output of step 0");
                ShouldAllBe(reference.GradientsOfStep0, name => stage.Gradient(name).Span.ToArray(), tolerance, "gradient");
            }

            for (int i = 0; i < states.Length; i++)
            {
                Span<T> weights = stage.Parameters[i].Span;
                optimizer.Apply(
                    reference.Optimizer.LearningRate, step + 1, 1, weights, stage.Gradients[i].Span, states[i], weights,
                    states[i]);
            }
        }

        ShouldAllBe(reference.Final, name => stage.Parameter(name).Span.ToArray(), tolerance, "final");
    }

    private static void ShouldAllBe<T>(
        IReadOnlyDictionary<string, VectorCase.Matrix> reference, Func<string, T[]> values, double tolerance, string what)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((string name, VectorCase.Matrix matrix) in reference)
        {
            ShouldBe(values(name), matrix, tolerance, $"{what} {name}");
        }
    }

    private static void ShouldBe<T>(ReadOnlySpan<T> values, VectorCase.Matrix reference, double tolerance, string what)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        values.Length.ShouldBe(reference.Values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            double expected = reference.Values[i];
            double.CreateChecked(values[i]).ShouldBe(expected, tolerance * Math.Max(1, Math.Abs(expected)), $"{what} [{i}]");
        }
    }

    private static void Copy<T>(VectorCase.Matrix from, Span<T> to)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = T.CreateChecked(from.Values[i]);
        }
    }
}
