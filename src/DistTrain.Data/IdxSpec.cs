namespace DistTrain.Data;

/// <summary>
/// Images and labels in IDX files, plain or compressed by gzip (<c>http://yann.lecun.com/exdb/mnist</c>). Images of every IDX
/// element type are read; labels are unsigned bytes.
/// </summary>
/// <param name="Train">Training files.</param>
/// <param name="Test">Test files; null for none.</param>
public sealed record IdxSpec(IdxFiles Train, IdxFiles? Test = null) : DataSpec
{
    /// <inheritdoc/>
    public override string Source => "idx";

    /// <summary>Number of classes; null for the largest training label plus 1. A label at or above it is refused.</summary>
    public int? Classes { get; init; }
}
