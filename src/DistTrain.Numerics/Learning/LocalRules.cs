using System.Numerics;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Numerics.Learning;

/// <summary>The tensors and the arithmetic of local rules. The last stage has the network's own loss and needs no rule, except
/// that target propagation takes its first target from there.</summary>
public static class LocalRules
{
    /// <summary>
    /// The tensors that a rule learns besides the stage's own: <c>local.{stage}.{n}.weight</c>, <c>.bias</c> and <c>.slope</c>
    /// with n from 0, for the stage's last layer. Empty for the last stage, for the HSIC bottleneck, and for target propagation
    /// in the first stage, below which nothing needs a target.
    /// </summary>
    public static IReadOnlyList<ParameterSpec> ParametersOf(LocalRuleSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var parameters = new List<ParameterSpec>();
        int first = 0;
        foreach (NetworkSpec network in AuxiliaryNetworks.Of(spec))
        {
            foreach (ParameterSpec own in new StageProgram<float>(network, 0, network.Layers.Count).Parameters)
            {
                string name = $"local.{spec.Stage}.{first + own.Layer}.{Suffix(own.Name)}";
                parameters.Add(own with { Name = name, Layer = spec.LastLayer });
            }

            first += network.Layers.Count;
        }

        return parameters;
    }

    /// <summary>
    /// Initial values of one of <see cref="ParametersOf"/>, row by row: weights as a layer's of that activation, biases 0. A
    /// gradient predictor's last layer is 0, so that it first predicts no signal (Jaderberg et al. 2017, A.1).
    /// </summary>
    public static void Initialize<T>(LocalRuleSpec spec, ParameterSpec parameter, ulong seed, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(parameter);
        string[] parts = parameter.Name.Split('.');
        int number = int.Parse(parts[^2]), layer = number;
        foreach (NetworkSpec network in AuxiliaryNetworks.Of(spec))
        {
            if (layer >= network.Layers.Count)
            {
                layer -= network.Layers.Count;
                continue;
            }

            if (spec.Kind == LocalRuleKind.GradientPredictor && layer == network.Layers.Count - 1)
            {
                values.Clear();
                return;
            }

            var streams = new InitialStreams(seed, RandomPurpose.AuxiliaryInitialization, parameter.Layer, 2 * number);
            ParameterSpec own = parameter with { Name = $"layers.{layer}.{parts[^1]}", Layer = layer };
            ParameterInitializer.Fill(network, own, streams, values);
            return;
        }

        throw new ArgumentException($"{parameter.Name} is no tensor of this rule.", nameof(parameter));
    }

    /// <summary>The loss of a stage that learns by <see cref="LocalRuleKind.Prediction"/>, <see
    /// cref="LocalRuleKind.Similarity"/>, both or the <see cref="LocalRuleKind.HsicBottleneck"/>.</summary>
    /// <exception cref="ArgumentException">Another kind, or the last stage.</exception>
    public static LocalLoss<T> LossOf<T>(LocalRuleSpec spec)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RefuseLastStage(spec);
        return spec.Kind switch
        {
            LocalRuleKind.Prediction => new PredictionLoss<T>(AuxiliaryNetworks.Classifier(spec), spec.Loss),
            LocalRuleKind.Similarity => new SimilarityLoss<T>(AuxiliaryNetworks.SimilarityMap(spec)),
            LocalRuleKind.PredictionAndSimilarity => new CombinedLoss<T>(
                new PredictionLoss<T>(AuxiliaryNetworks.Classifier(spec), spec.Loss),
                new SimilarityLoss<T>(AuxiliaryNetworks.SimilarityMap(spec)), spec.Beta ?? 0.99),
            LocalRuleKind.HsicBottleneck => new HsicLoss<T>(spec.Sigma, spec.Epsilon, spec.Beta ?? 500),
            _ => throw new ArgumentException($"{spec.Kind} is no local loss.", nameof(spec)),
        };
    }

    /// <summary>The predictor of the signal that a stage will get.</summary>
    /// <exception cref="ArgumentException">Another kind, or the last stage.</exception>
    public static GradientPredictor<T> PredictorOf<T>(LocalRuleSpec spec)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RefuseLastStage(spec);
        Require(spec, LocalRuleKind.GradientPredictor);
        return new GradientPredictor<T>(AuxiliaryNetworks.Predictor(spec), spec.Conditioned, spec.FitRate);
    }

    /// <summary>The targets of a stage and of the one before.</summary>
    /// <exception cref="ArgumentException">Another kind.</exception>
    public static DifferenceTarget<T> TargetOf<T>(LocalRuleSpec spec)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(spec);
        Require(spec, LocalRuleKind.DifferenceTarget);
        return new DifferenceTarget<T>(spec);
    }

    /// <summary>Whether a tensor belongs to a local rule and not to the network.</summary>
    public static bool IsAuxiliary(ParameterSpec parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter.Name.StartsWith("local.", StringComparison.Ordinal);
    }

    private static void RefuseLastStage(LocalRuleSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.IsLastStage)
        {
            throw new ArgumentException("The last stage has the network's own loss.", nameof(spec));
        }
    }

    private static void Require(LocalRuleSpec spec, LocalRuleKind kind)
    {
        if (spec.Kind != kind)
        {
            throw new ArgumentException($"The rule is {spec.Kind} and should be {kind}.", nameof(spec));
        }
    }

    private static string Suffix(string name) => name[(name.LastIndexOf('.') + 1)..];
}
