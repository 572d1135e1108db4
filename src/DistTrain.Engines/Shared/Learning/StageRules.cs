using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared.Learning;

/// <summary>What a run's stages learn by besides exact gradients: their local rules and the fixed matrices of feedback. All of it
/// follows from the plan, so every host makes its own. The matrices live as long as it does.</summary>
internal sealed class StageRules<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly LocalLoss<T>?[] _losses;
    private readonly GradientPredictor<T>?[] _predictors;
    private readonly DifferenceTarget<T>?[] _targets;
    private readonly Tensor<T>[][] _feedback;

    public StageRules(RunPlan plan)
    {
        LocalRuleSpec?[] rules = [.. plan.Stages.Select(stage => stage.Rule)];
        _losses = [.. rules.Select(rule => rule?.Kind is LocalRuleKind.GradientPredictor or LocalRuleKind.DifferenceTarget or null
            ? null
            : LocalRules.LossOf<T>(rule))];
        _predictors = [.. rules.Select(rule => rule?.Kind == LocalRuleKind.GradientPredictor ? LocalRules.PredictorOf<T>(rule) : null)];
        _targets = [.. rules.Select(rule => rule?.Kind == LocalRuleKind.DifferenceTarget ? LocalRules.TargetOf<T>(rule) : null)];
        Path = plan.Method.Path(plan.Settings);
        _feedback = [.. plan.Stages.Select(stage => Path switch
        {
            BackwardPath.FixedMatrices => ThroughLayers(plan, stage),
            BackwardPath.Direct => FromOutput(plan, stage),
            _ => [],
        })];
    }

    /// <summary>What signals pass through.</summary>
    public BackwardPath Path { get; }

    /// <summary>The stage's own loss.</summary>
    public LocalLoss<T> LossOf(int stage) => _losses[stage] ?? throw new InvalidOperationException($"Stage {stage} has no loss of its own.");

    /// <summary>The stage's predictor.</summary>
    public GradientPredictor<T> PredictorOf(int stage) => _predictors[stage] ?? throw new InvalidOperationException($"Stage {stage} has no predictor.");

    /// <summary>The stage's targets.</summary>
    public DifferenceTarget<T> TargetOf(int stage) => _targets[stage] ?? throw new InvalidOperationException($"Stage {stage} has no targets.");

    /// <summary>How many matrices of feedback a stage has: one for each parameter, or on a direct path for each layer.</summary>
    public int FeedbackCount(int stage) => _feedback[stage].Length;

    /// <summary>A stage's matrices of feedback.</summary>
    public void FeedbackOf(int stage, Span<TensorView<T>> views)
    {
        for (int i = 0; i < views.Length; i++)
        {
            views[i] = _feedback[stage][i].View;
        }
    }

    private static Tensor<T>[] ThroughLayers(RunPlan plan, StagePlan stage)
    {
        List<Tensor<T>> matrices = [];
        foreach (ParameterSpec parameter in stage.Parameters)
        {
            Tensor<T> matrix = new(parameter.Rows, parameter.Columns);
            if (parameter.Name.EndsWith(".weight", StringComparison.Ordinal))
            {
                FeedbackMatrices.Fill(plan.Network, parameter, plan.Settings.Seed, matrix.View.Span);
            }

            matrices.Add(matrix);
        }

        return [.. matrices];
    }

    private static Tensor<T>[] FromOutput(RunPlan plan, StagePlan stage)
    {
        NetworkSpec network = plan.Network;
        int outputs = NetworkShape.InputWidth(network, network.Layers.Count);
        var matrices = new Tensor<T>[stage.LayerCount];
        for (int i = 0; i < matrices.Length; i++)
        {
            int layer = stage.FirstLayer + i, width = NetworkShape.InputWidth(network, layer + 1);
            matrices[i] = new Tensor<T>(outputs, width);
            FeedbackMatrices.FillDirect(layer, outputs, width, 1, plan.Settings.Seed, matrices[i].View.Span);
        }

        return matrices;
    }
}
