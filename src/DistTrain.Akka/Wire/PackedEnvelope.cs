namespace DistTrain.Akka.Wire;

/// <summary>An envelope that leaves by Akka.Remote: packed when it was sent, so that its buffers are free again before Akka writes it.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Bytes">Its bytes.</param>
internal sealed record PackedEnvelope(string Manifest, byte[] Bytes);
