using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using DistTrain.Protocol.Wire;

namespace DistTrain.Akka.Wire;

/// <summary>
/// Takes every message of this program to bytes and back: MessagePack by explicit manifests, read field by field, without object graphs,
/// type names, extensions or compression.
/// </summary>
internal sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const int ManifestShownMax = 60;

    /// <inheritdoc/>
    public override int Identifier => 4711;

    /// <inheritdoc/>
    public override string Manifest(object o) => o switch
    {
        PackedEnvelope packed => packed.Manifest,
        ClusterMessage message => WireContract.ManifestOf(ClusterSchema.Of(message).Tag),
        _ => throw new SerializationException($"{o.GetType().Name} is no message between nodes"),
    };

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => obj switch
    {
        PackedEnvelope packed => packed.Bytes,
        ClusterMessage message => ClusterSchema.Of(message).Write(message),
        _ => throw new SerializationException($"{obj.GetType().Name} is no message between nodes"),
    };

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        string shown = manifest.Length <= ManifestShownMax ? manifest : manifest[..ManifestShownMax];
        try
        {
            if (WireContract.FindEnvelope(manifest) is MessageSchema envelope)
            {
                return new ArrivedEnvelope(envelope, bytes);
            }

            return WireContract.FindCluster(manifest) is ClusterSchema schema
                ? schema.Read(bytes)
                : new RefusedMessage(shown, "no message has this manifest; expected nodes of the same version of this program");
        }
        catch (FrameException problem)
        {
            return new RefusedMessage(shown, problem.Message);
        }
    }
}
