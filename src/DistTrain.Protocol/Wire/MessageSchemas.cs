using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Wire;

/// <summary>The schemas of all message types, built once.</summary>
public static class MessageSchemas
{
    private static readonly MessageSchema[] Schemas = [.. MessageCatalog.All.Select(entry => new MessageSchema(entry.Tag, entry.Type))];
    private static readonly Dictionary<Type, MessageSchema> ByType = Schemas.ToDictionary(schema => schema.Type);

    /// <summary>All schemas, in ordinal order of the tag.</summary>
    public static IReadOnlyList<MessageSchema> All => Schemas;

    /// <summary>The schema of a message's type.</summary>
    public static MessageSchema Of(Message message) => ByType[message.GetType()];

    /// <summary>The schema of a tag, or null.</summary>
    public static MessageSchema? Find(ReadOnlySpan<byte> utf8Tag)
    {
        foreach (MessageSchema schema in Schemas)
        {
            if (schema.Utf8Tag.SequenceEqual(utf8Tag))
            {
                return schema;
            }
        }

        return null;
    }
}
