namespace DistTrain.Akka.Wire;

/// <summary>What stands for bytes that no message could be made of, so that the node can say so once and the association lives on.</summary>
/// <param name="Manifest">The manifest as it came, shortened.</param>
/// <param name="Problem">Which rule the bytes break.</param>
internal sealed record RefusedMessage(string Manifest, string Problem);
