namespace DistTrain.Protocol.Messages;

/// <summary>Carries nothing but its envelope's acknowledgement; sent when nothing else goes back.</summary>
[MessageTag("acknowledge")]
public sealed record Acknowledge : Message
{
    /// <summary>The one instance: it has no fields.</summary>
    public static Acknowledge Instance { get; } = new();
}
