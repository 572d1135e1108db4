using System.Runtime.InteropServices;
using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Tests.Vectors;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>Reference trajectories of PyTorch, trained whole: by the plain loop and by actors, one stage per layer.</summary>
public sealed class VectorConformanceTests
{
    private const double Tolerance = 1e-10;

    public static TheoryData<string> Cases => [.. VectorCase.Names];

    public static TheoryData<string, string> CasesOnEngines
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string engine in Trainers.EngineNames)
            {
                foreach (string name in VectorCase.Names)
                {
                    all.Add(engine, name);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ThePlainLoopReproducesTheReference(string name)
    {
        var reference = VectorCase.Load(name);
        Observed observed = new();
        ShouldBeTheReference(reference, Trainers.RunSequentially(Request(reference), observed), observed);
    }

    [Theory]
    [MemberData(nameof(CasesOnEngines))]
    public void ActorsReproduceTheReference(string engine, string name)
    {
        var reference = VectorCase.Load(name);
        Observed observed = new();
        ShouldBeTheReference(reference, Trainers.Run(engine, Request(reference), observed), observed);
    }

    private static RunRequest Request(VectorCase reference)
    {
        int batches = reference.Batches.Count;
        double[] inputs = [.. reference.Batches.SelectMany(batch => batch.Inputs.Values)];
        double[] targets = [.. reference.Batches.SelectMany(batch => batch.Targets.Values)];
        DataSet<double> rows = DataSet<double>.FromVectors(
            reference.Name, reference.Network.Inputs, inputs, reference.Batches[0].Targets.Columns, targets);
        return new RunRequest
        {
            Data = RunData.From(new TrainTest<double>(rows, null)),
            InitialWeights = reference.Initial.ToDictionary(
                parameter => parameter.Key,
                parameter => MemoryMarshal.AsBytes(parameter.Value.Values.AsSpan()).ToArray(),
                StringComparer.Ordinal),
            ComputeThreads = 2,
            Settings = new RunSettings
            {
                Name = reference.Name,
                Precision = Precision.Float64,
                Network = reference.Network,
                Loss = reference.Loss,
                Optimizer = reference.Optimizer,
                Training = new TrainingSettings(reference.Steps / batches, reference.Batches[0].Inputs.Rows, Shuffle: false),
                Stages = [.. reference.Network.Layers.Select(_ => 1)],
            },
        };
    }

    private static void ShouldBeTheReference(VectorCase reference, RunOutcome outcome, Observed observed)
    {
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        observed.Steps.Select(step => step.Step).ShouldBe(Enumerable.Range(1, reference.Steps).Select(step => (long)step));
        for (int step = 0; step < reference.Steps; step++)
        {
            ShouldBeNear(observed.Steps[step].Loss, reference.Losses[step], $"loss of step {step}");
        }

        outcome.Parameters.Count.ShouldBe(reference.Final.Count);
        foreach ((Numerics.Layers.ParameterSpec parameter, byte[] bytes) in outcome.Parameters)
        {
            double[] expected = reference.Final[parameter.Name].Values, values = MemoryMarshal.Cast<byte, double>(bytes).ToArray();
            values.Length.ShouldBe(expected.Length);
            for (int i = 0; i < values.Length; i++)
            {
                ShouldBeNear(values[i], expected[i], $"{parameter.Name} [{i}]");
            }
        }
    }

    private static void ShouldBeNear(double value, double expected, string what) =>
        value.ShouldBe(expected, Tolerance * Math.Max(1, Math.Abs(expected)), what);
}
