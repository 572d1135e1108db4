namespace DistTrain.Data;

/// <summary>Two IDX files that belong together.</summary>
/// <param name="Images">Rows × any further dimensions, which are flattened to columns.</param>
/// <param name="Labels">One unsigned byte per row; null where the targets are the inputs.</param>
public sealed record IdxFiles(string Images, string? Labels);
