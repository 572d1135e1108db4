using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Planning;

/// <summary>Rows that contribute together.</summary>
/// <param name="Index">From 0: the training rows' tiles, then the test rows'.</param>
/// <param name="Split">Whose rows.</param>
/// <param name="First">The first row.</param>
/// <param name="Rows">How many.</param>
/// <param name="Columns">Columns of their coordinates that travel: of the Gram matrix of the training rows those up to the
/// last row, all others otherwise.</param>
/// <param name="Symmetric">Whether the rest follows from symmetry.</param>
public sealed record ContributionTilePlan(int Index, DataSplit Split, int First, int Rows, int Columns, bool Symmetric);
