using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>
/// A message on its way. One object from its sender to its receiver, whoever holds it meanwhile: links, mailboxes and effects pass on where it is.
/// </summary>
/// <param name="Run">Identity of the run: messages of another are dropped.</param>
/// <param name="Epoch">The sender's epoch.</param>
/// <param name="From">Sender.</param>
/// <param name="FromIncarnation">How often the sender was restarted.</param>
/// <param name="To">Addressee.</param>
/// <param name="ToIncarnation">The addressee's incarnation as the sender knows it.</param>
/// <param name="Sequence">Position on the link from 1; 0 for a bare acknowledgement.</param>
/// <param name="Acknowledges">Every message up to this sequence arrived from the addressee.</param>
/// <param name="Message">The message.</param>
public sealed record Envelope(
    long Run,
    int Epoch,
    ActorId From,
    int FromIncarnation,
    ActorId To,
    int ToIncarnation,
    long Sequence,
    long Acknowledges,
    Message Message)
{
    private readonly Message _message = Message;

    /// <summary>The message.</summary>
    public Message Message
    {
        get => _message;
        init => (_message, First, Second) = (value, value.FirstBuffer, value.SecondBuffer);
    }

    /// <summary>The first buffer that the message lends, or none. Every hand that the envelope goes through asks for it.</summary>
    public BufferHandle First { get; private init; } = Message.FirstBuffer;

    /// <summary>The second buffer that the message lends, or none.</summary>
    public BufferHandle Second { get; private init; } = Message.SecondBuffer;
}
