namespace DistTrain.Engines.Shared;

/// <summary>The reading side of an <see cref="ITensorOutlet"/>; one thread.</summary>
internal interface ITensorInlet
{
    /// <summary>Fills all of a span with a piece that lies aside, and gives its place back. Throws <see cref="Protocol.Wire.FrameException"/> when no such piece can be there.</summary>
    void Take(in TensorPiece piece, Span<byte> destination);
}
