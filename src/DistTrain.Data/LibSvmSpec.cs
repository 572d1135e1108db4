namespace DistTrain.Data;

/// <summary>
/// Sparse rows, <c>label index:value …</c> with 1-based ascending indices, plain or compressed by gzip (the format of LIBSVM,
/// Chang and Lin 2011). Labels are numbers; sorted, they are the classes.
/// </summary>
/// <param name="Train">Training file.</param>
/// <param name="Test">Test file; null for none.</param>
public sealed record LibSvmSpec(string Train, string? Test = null) : DataSpec
{
    /// <inheritdoc/>
    public override string Source => "libsvm";

    /// <summary>Number of columns; null for the largest index in the training file.</summary>
    public int? Features { get; init; }
}
