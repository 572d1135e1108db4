namespace DistTrain.Data;

/// <summary>
/// Says which rows of one file are test rows: those with the text <paramref name="Test"/> in <paramref name="Column"/>.
/// </summary>
/// <param name="Column">A column's name or 0-based index.</param>
/// <param name="Test">The text that marks a test row.</param>
public sealed record CsvSplit(string Column, string Test);
