using DistTrain.Protocol.Wire;

namespace DistTrain.Akka.Wire;

/// <summary>The layout of an envelope in MessagePack: one array, first the envelope's fields, then the message's, each in the order of
/// declaration.</summary>
internal static class PackedFields
{
    /// <summary>The envelope's fields.</summary>
    public static IReadOnlyList<MessageField> Envelope => EnvelopeFields.All;
}
