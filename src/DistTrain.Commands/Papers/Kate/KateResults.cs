namespace DistTrain.Commands.Papers.Kate;

/// <summary>All lines of the reproduction.</summary>
internal sealed record KateResults(KateResult Kate, KateResult KSparse, KateResult Plain, KateResult PlainLonger, KateResult Supervised)
{
    /// <summary>The least accuracy of KATE that counts as reproduced on documents without headers.</summary>
    public const double AccuracyMin = 0.66;

    /// <summary>How far KATE must be above the plain autoencoder that had the same training.</summary>
    public const double AbovePlainMin = 0.05;

    /// <summary>KATE less the plain autoencoder.</summary>
    public double AbovePlain => Kate.Accuracy - Plain.Accuracy;

    /// <summary>Whether the paper's result holds.</summary>
    public bool Hold => Kate.Accuracy >= AccuracyMin && AbovePlain >= AbovePlainMin;

    /// <summary>In the order of the table.</summary>
    public IReadOnlyList<KateResult> Lines => [Kate, KSparse, Plain, PlainLonger, Supervised];

    /// <summary>Runs everything.</summary>
    public static KateResults Of(KateStudy study) =>
        new(study.Kate(), study.KSparse(), study.Plain(), study.PlainLonger(), study.Supervised());
}
