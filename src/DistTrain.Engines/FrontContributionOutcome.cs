using DistTrain.Protocol.Settings;

namespace DistTrain.Engines;

/// <summary>What front contribution did in a run.</summary>
/// <param name="Form">The form that was used.</param>
/// <param name="Shares">First-stage actors.</param>
/// <param name="Features">Columns of the coordinates.</param>
/// <param name="TimesAlone">How often the final-layer actor began to train alone: once, and once more after each
/// recovery.</param>
/// <param name="MessagesWhileAlone">Messages to or from any other layer actor meanwhile, acknowledgements included.</param>
public sealed record FrontContributionOutcome(
    ContributionForm Form, int Shares, int Features, long TimesAlone, long MessagesWhileAlone);
