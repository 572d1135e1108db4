namespace DistTrain.Numerics.Learning;

/// <summary>Rules by which a stage learns without waiting for the signal of the stages behind it.</summary>
public enum LocalRuleKind
{
    /// <summary>A linear classifier on the stage's output with the network's loss (Mostafa et al. 2018; Belilovsky et al. 2019;
    /// "pred" in Nøkland and Eidnes 2019).</summary>
    Prediction,

    /// <summary>Samples should be as similar as their targets are (similarity matching; "sim" in Nøkland and Eidnes
    /// 2019).</summary>
    Similarity,

    /// <summary>(1 − β) times the first plus β times the second ("predsim" in Nøkland and Eidnes 2019).</summary>
    PredictionAndSimilarity,

    /// <summary>Little dependence on the network's input, much on the target (Ma, Lewis and Kleijn 2019).</summary>
    HsicBottleneck,

    /// <summary>A learned predictor of the signal (synthetic gradients; Jaderberg et al. 2017).</summary>
    GradientPredictor,

    /// <summary>Targets through learned inverses (difference target propagation; Lee et al. 2015).</summary>
    DifferenceTarget,
}
