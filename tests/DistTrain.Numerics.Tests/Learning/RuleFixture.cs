using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using Xunit;

namespace DistTrain.Numerics.Tests.Learning;

/// <summary>A local rule of one stage with all its memory; values do not depend on the precision.</summary>
internal sealed class RuleFixture<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly List<Tensor<T>> _tensors = [];

    public RuleFixture(LocalRuleSpec spec, int rows, bool random = true)
    {
        Spec = spec;
        Specs = LocalRules.ParametersOf(spec);
        RowWeight = 1.0 / (rows + 3);
        Stage = new StageProgram<T>(spec.Network, spec.FirstLayer, spec.LayerCount);
        int outputs = new StageProgram<T>(spec.Network, 0, spec.Network.Layers.Count).OutputWidth;
        Parameters = Specs.Select(p => Take(p.Rows, p.Columns)).ToArray();
        Gradients = Specs.Select(p => Take(p.Rows, p.Columns)).ToArray();
        StageParameters = Stage.Parameters.Select(p => Take(p.Rows, p.Columns)).ToArray();
        NetworkInput = Take(rows, spec.Network.Inputs);
        Input = Take(rows, Stage.InputWidth);
        Output = Take(rows, Stage.OutputWidth);
        Target = Take(rows, outputs);
        Signal = Take(rows, Stage.OutputWidth);
        Below = Take(rows, Stage.InputWidth);
        FillAll(random);
    }

    public LocalRuleSpec Spec { get; }

    public IReadOnlyList<ParameterSpec> Specs { get; }

    public StageProgram<T> Stage { get; }

    public TensorView<T>[] Parameters { get; }

    public TensorView<T>[] Gradients { get; }

    public TensorView<T>[] StageParameters { get; }

    public TensorView<T> NetworkInput { get; }

    public TensorView<T> Input { get; }

    public TensorView<T> Output { get; }

    public TensorView<T> Target { get; }

    public TensorView<T> Signal { get; }

    public TensorView<T> Below { get; }

    public ComputeScratch Scratch { get; } = new();

    public PassContext Context { get; set; } = new(Seed: 7, Step: 3, FirstSample: 5, Training: true);

    public double RowWeight { get; set; }

    /// <summary>The gradients as one list.</summary>
    public T[] AllGradients => Gradients.SelectMany(g => g.Span.ToArray()).ToArray();

    public LossResult Learn(LocalLoss<T> loss, bool accumulate = false, IForkJoin? fork = null)
        => loss.Signal(Parameters, NetworkInput, Output, Target, Signal, Gradients, accumulate, RowWeight, Scratch, fork);

    public double Fit(GradientPredictor<T> predictor, bool accumulate = false, IForkJoin? fork = null)
        => predictor.Fit(Parameters, Output, Target, Signal, Gradients, accumulate, RowWeight, Scratch, fork);

    public double FitInverse(DifferenceTarget<T> rule, bool accumulate = false, IForkJoin? fork = null)
        => rule.FitInverse(
            Parameters, Stage, StageParameters, Input, Gradients, accumulate, RowWeight, Context, Scratch, fork);

    /// <summary>Whatever the rule fits, once: its loss or error, and its gradients.</summary>
    public double Run(bool accumulate = false, IForkJoin? fork = null) => Spec.Kind switch
    {
        LocalRuleKind.GradientPredictor => Fit(LocalRules.PredictorOf<T>(Spec), accumulate, fork),
        LocalRuleKind.DifferenceTarget => FitInverse(LocalRules.TargetOf<T>(Spec), accumulate, fork),
        _ => Learn(LocalRules.LossOf<T>(Spec), accumulate, fork).LossSum,
    };

    public void Dispose()
    {
        _tensors.ForEach(tensor => tensor.Dispose());
        Scratch.Dispose();
    }

    private void FillAll(bool random)
    {
        for (int i = 0; i < Parameters.Length; i++)
        {
            if (random)
            {
                TestValues.Fill(Parameters[i].Span, (ulong)(20 + i));
            }
            else
            {
                LocalRules.Initialize(Spec, Specs[i], 1, Parameters[i].Span);
            }
        }

        for (int i = 0; i < StageParameters.Length; i++)
        {
            TestValues.Fill(StageParameters[i].Span, (ulong)(40 + i));
        }

        TestValues.Fill(NetworkInput.Span, 60);
        TestValues.Fill(Input.Span, 61);
        TestValues.Fill(Output.Span, 62);
        TestValues.Fill(Signal.Span, 63, -0.2, 0.2);
        for (int row = 0; row < Target.Rows; row++)
        {
            Target.Row(row)[row % Target.Columns] = Target.Columns > 1 || row % 3 == 0 ? T.One : T.Zero;
        }
    }

    private TensorView<T> Take(int rows, int columns)
    {
        _tensors.Add(new Tensor<T>(rows, columns));
        return _tensors[^1].View;
    }
}

/// <summary>Specifications of rules that together reach every path.</summary>
internal static class RuleCases
{
    public static readonly NetworkSpec Classifier = new(7, [
        new DenseSpec(6, ActivationKind.Tanh), new DropoutSpec(0.3), new DenseSpec(5, ActivationKind.Elu),
        new DenseSpec(3, ActivationKind.Softmax)]);

    public static IReadOnlyDictionary<string, LocalRuleSpec> All { get; } = new SortedDictionary<string, LocalRuleSpec>
    {
        ["pred"] = Of(LocalRuleKind.Prediction),
        ["pred of one sigmoid"] = Of(LocalRuleKind.Prediction, ActivationKind.Sigmoid, LossKind.BinaryCrossEntropy, 1),
        ["pred with a learned slope"] = Of(LocalRuleKind.Prediction, ActivationKind.Prelu, LossKind.SquaredError),
        ["sim"] = Of(LocalRuleKind.Similarity),
        ["sim with one target column"] = Of(LocalRuleKind.Similarity, ActivationKind.Sigmoid, LossKind.BinaryCrossEntropy, 1),
        ["predsim"] = Of(LocalRuleKind.PredictionAndSimilarity) with { Beta = 0.7 },
        ["hsic"] = Of(LocalRuleKind.HsicBottleneck) with { Beta = 20, Sigma = 1, Epsilon = 1e-3 },
        ["predictor"] = Of(LocalRuleKind.GradientPredictor),
        ["conditioned predictor"] = Of(LocalRuleKind.GradientPredictor) with
        {
            Conditioned = true,
            HiddenUnits = [8, 4],
            HiddenActivation = ActivationKind.Tanh,
        },
        ["inverse"] = Of(LocalRuleKind.DifferenceTarget),
        ["inverse without noise, through a softmax"] = Of(LocalRuleKind.DifferenceTarget) with
        {
            Noise = 0,
            Network = new NetworkSpec(7, [
                new DenseSpec(4, ActivationKind.Softmax), new DropoutSpec(0.3), new DenseSpec(6, ActivationKind.Tanh),
                new DenseSpec(3, ActivationKind.Softmax)]),
        },
    };

    public static TheoryData<string> Names(Func<LocalRuleSpec, bool>? where = null)
    {
        var data = new TheoryData<string>();
        foreach ((string name, LocalRuleSpec spec) in All)
        {
            if (where?.Invoke(spec) ?? true)
            {
                data.Add(name);
            }
        }

        return data;
    }

    /// <summary>The second of three stages: dropout and a dense layer.</summary>
    public static LocalRuleSpec Of(
        LocalRuleKind kind, ActivationKind final = ActivationKind.Softmax, LossKind loss = LossKind.CrossEntropy, int outputs = 3)
        => new()
        {
            Kind = kind,
            Network = Classifier with { Layers = [.. Classifier.Layers.SkipLast(1), new DenseSpec(outputs, final)] },
            Stage = 1,
            FirstLayer = 1,
            LayerCount = 2,
            Loss = loss,
        };
}
