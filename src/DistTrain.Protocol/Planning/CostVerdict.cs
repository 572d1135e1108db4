using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>Whether front contribution pays, in multiply-adds of the whole planned run: evaluations, one-time work and expansion included.</summary>
/// <param name="Form">The form that can serve with fewer multiply-adds.</param>
/// <param name="Factor">Backpropagation's multiply-adds over front contribution's; above 1 it pays.</param>
/// <param name="Ceiling">
/// The same factor for the first layer alone, each dot product of the Gram matrix computed once (N² d/2) and weights without a velocity: what the method could save at most.
/// </param>
/// <param name="RowsMax">The most training rows with which it pays, all else unchanged; 0 when it pays with none.</param>
/// <param name="InputsMin">The fewest features with which it pays, all else unchanged; null when no number does.</param>
/// <param name="EpochsMin">The fewest epochs after which its one-time work is made up for; null when no number does.</param>
public sealed record CostVerdict(ContributionForm Form, double Factor, double Ceiling, int RowsMax, int? InputsMin, int? EpochsMin)
{
    /// <summary>Whether it pays.</summary>
    public bool Pays => Factor > 1;

    /// <summary>Backpropagation's predicted seconds, on its fastest schedule, over those of front contribution in this form.</summary>
    public double TimeFactor { get; init; }
}
