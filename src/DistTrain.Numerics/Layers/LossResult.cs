namespace DistTrain.Numerics.Layers;

/// <summary>What a loss says about some rows.</summary>
/// <param name="LossSum">The rows' losses, not weighted, added in double precision in row order.</param>
/// <param name="Correct">Rows whose largest output and largest target agree (the first wins ties); with a single output, rows
/// for which output and target are on the same side of ½.</param>
/// <param name="Rows">Number of rows.</param>
public readonly record struct LossResult(double LossSum, int Correct, int Rows);
