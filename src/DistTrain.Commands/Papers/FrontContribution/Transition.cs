namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>What becomes of the ReLUs during a run (the cases of eq. 23).</summary>
internal enum Transition
{
    /// <summary>A unit is active at the start, and whatever is active at the start stays so.</summary>
    StaysActive,

    /// <summary>A unit that is active on an input at the start is dead on it at the end.</summary>
    Dies,
}
