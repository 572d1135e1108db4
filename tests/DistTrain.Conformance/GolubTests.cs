using System.Numerics;
using System.Runtime.InteropServices;
using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>
/// Front contribution where it belongs: 7,129 genes of 38 leukaemia patients to train on and 34 to test, where
/// <c>shared/data</c> beside the project or above it has them; skipped otherwise.
/// </summary>
public sealed class GolubTests
{
    private const string File = "microarray/golub-leukemia.csv.gz";

    [SkippableTheory]
    [InlineData(ContributionForm.Gram, 0.001)]
    [InlineData(ContributionForm.Gram, 0.0001)]
    [InlineData(ContributionForm.Basis, 0.001)]
    [InlineData(ContributionForm.Basis, 0.0001)]
    public void FrontContributionPredictsEveryTestRowAsBackpropagationDoes(ContributionForm form, double learningRate)
    {
        ShouldPredictAlike<double>(form, learningRate, tolerance: 1e-10);
        ShouldPredictAlike<float>(form, learningRate, tolerance: 1e-3);
    }

    private static void ShouldPredictAlike<T>(ContributionForm form, double learningRate, double tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TrainTest<T> rows = Load<T>();
        RunSettings backprop = new()
        {
            Name = "golub-leukemia",
            Precision = typeof(T) == typeof(float) ? Precision.Float32 : Precision.Float64,
            Network = new NetworkSpec(rows.Train.Inputs, [new DenseSpec(64, ActivationKind.Relu), new DenseSpec(2, ActivationKind.Softmax)]),
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, learningRate) { Momentum = 0.9 },
            Training = new TrainingSettings(50, 10) { EvaluateEvery = 50 },
            Stages = [1, 1],
            CheckpointEverySteps = 0,
        };
        RunSettings front = backprop with { Method = new MethodSettings("front-contribution") { Form = form } };
        (T[] expected, RunOutcome plain) = Outputs(backprop, rows);
        (T[] outputs, RunOutcome contributed) = Outputs(front, rows);
        contributed.FrontContribution!.Form.ShouldBe(form);
        contributed.TestAccuracy.ShouldBe(plain.TestAccuracy);

        // 20 of the 34 test rows are of the larger class; a network that has learned nothing would agree with itself as well.
        plain.TestAccuracy!.Value.ShouldBeGreaterThan(20.0 / 34);
        for (int row = 0; row < rows.Test!.Rows; row++)
        {
            (outputs[2 * row] > outputs[(2 * row) + 1]).ShouldBe(expected[2 * row] > expected[(2 * row) + 1], $"test row {row}");
            double.CreateChecked(outputs[2 * row]).ShouldBe(double.CreateChecked(expected[2 * row]), tolerance, $"test row {row}");
        }
    }

    /// <summary>What a trained network gives for the test rows: of each row the probabilities of both classes.</summary>
    private static (T[] Outputs, RunOutcome Outcome) Outputs<T>(RunSettings settings, TrainTest<T> rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RunOutcome outcome = Trainers.Run("threads", new RunRequest { Settings = settings, Data = RunData.From(rows), ComputeThreads = 2 });
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        StageProgram<T> program = new(settings.Network, 0, settings.Network.Layers.Count);
        DataSet<T> test = rows.Test!;
        using Tensor<T> input = new(test.Rows, test.Inputs), output = new(test.Rows, program.OutputWidth), stash = new(1, program.StashLength(test.Rows));
        test.CopyInputs([.. Enumerable.Range(0, test.Rows)], input.Span);
        Tensor<T>[] parameters = [.. program.Parameters.Select(parameter => new Tensor<T>(parameter.Rows, parameter.Columns))];
        foreach ((Tensor<T> parameter, ParameterSpec spec) in parameters.Zip(program.Parameters))
        {
            MemoryMarshal.Cast<byte, T>(outcome.Parameters.Single(given => given.Spec.Name == spec.Name).Values).CopyTo(parameter.Span);
        }

        using ComputeScratch scratch = new();
        TensorView<T>[] views = [.. parameters.Select(parameter => parameter.View)];
        program.Forward(new StagePass<T>(views, input.View, output.View, stash.View, new PassContext(1, 0, 0, false), scratch));
        foreach (Tensor<T> parameter in parameters)
        {
            parameter.Dispose();
        }

        return (output.Span.ToArray(), outcome);
    }

    private static TrainTest<T> Load<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        string? file = null;
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null && file is null; at = at.Parent)
        {
            string candidate = Path.Combine(at.FullName, "shared", "data", File);
            file = System.IO.File.Exists(candidate) ? candidate : null;
        }

        Skip.If(file is null, $"Golub's data are not here (shared/data/{File}).");
        CsvSpec spec = new(Path.GetFileName(file))
        {
            Label = "label",
            Split = new CsvSplit("split", "test"),
            Scaling = new Scaling(Asinh: 20, Standardize: Standardization.Features),
        };
        return DataLoader.Load<T>(spec, Path.GetDirectoryName(file)!, 1);
    }
}
