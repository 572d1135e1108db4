using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace DistTrain.Akka.Wire;

/// <summary>
/// Stands in the place of Akka's serializers that make objects of whatever type the wire names (JSON for object, Protobuf by type name,
/// remote deployment): nothing goes out and nothing comes in through them.
/// </summary>
internal sealed class RefusingSerializer : Serializer
{
    /// <summary>As Akka makes one without settings.</summary>
    public RefusingSerializer(ExtendedActorSystem system)
        : base(system)
    {
    }

    /// <summary>As Akka makes the one in the place of JSON, which has settings.</summary>
    public RefusingSerializer(ExtendedActorSystem system, Config _)
        : base(system)
    {
    }

    /// <inheritdoc/>
    public override int Identifier => 4712;

    /// <inheritdoc/>
    public override bool IncludeManifest => false;

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) =>
        throw new SerializationException($"{obj?.GetType().Name} has no manifest and does not leave this node");

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, Type type) =>
        throw new SerializationException("a message without a manifest of this program; nothing is made of it");
}
