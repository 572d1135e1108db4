namespace DistTrain.Data;

/// <summary>
/// Rows of comma-separated values (RFC 4180), plain or compressed by gzip. Columns are named as the header does or by 0-based
/// index. Every column that is not a label, target or split column is a feature, in order.
/// </summary>
/// <param name="Train">Training file.</param>
/// <param name="Test">Test file with the same columns; null for none.</param>
public sealed record CsvSpec(string Train, string? Test = null) : DataSpec
{
    /// <inheritdoc/>
    public override string Source => "csv";

    /// <summary>Whether the first line (after <see cref="SkipLines"/>) names the columns.</summary>
    public bool Header { get; init; } = true;

    /// <summary>Lines to ignore at the top of each file.</summary>
    public int SkipLines { get; init; }

    /// <summary>
    /// The column of classes: numbers are classes in numeric order, other texts in ordinal order. The label set is the training
    /// file's.
    /// </summary>
    public string? Label { get; init; }

    /// <summary>
    /// Columns of the target vector, in this order. When there are two or more and every row holds one 1 and otherwise 0, the
    /// columns count as classes.
    /// </summary>
    public IReadOnlyList<string>? TargetColumns { get; init; }

    /// <summary>Takes the test rows from the training file; null for not.</summary>
    public CsvSplit? Split { get; init; }

    /// <summary>
    /// When set, labels are the integers 0 … Classes−1, and each number is its own class whether a row has it or not.
    /// </summary>
    public int? Classes { get; init; }

    /// <summary>
    /// 0-based indices of the feature columns in the order that the network takes them; null for every column that has no other
    /// part, in the file's order. Columns without any part are not read then.
    /// </summary>
    public IReadOnlyList<int>? FeatureColumns { get; init; }
}
