using System.Reflection;

namespace DistTrain.Protocol.Messages;

/// <summary>Every message type, by its tag. Built once from the closed hierarchy itself, so nothing can be forgotten.</summary>
public static class MessageCatalog
{
    private static readonly Dictionary<Type, string> TagsByType = typeof(Message).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(Message)))
        .ToDictionary(type => type, type => type.GetCustomAttribute<MessageTagAttribute>()?.Tag
            ?? throw new InvariantException($"{type.Name} has a tag."));

    /// <summary>All message types with their tags, in ordinal order of the tag.</summary>
    public static IReadOnlyList<(string Tag, Type Type)> All { get; } =
        [.. TagsByType.Select(pair => (pair.Value, pair.Key)).OrderBy(entry => entry.Value, StringComparer.Ordinal)];

    /// <summary>The tag of a message's type.</summary>
    public static string TagOf(Message message) => TagsByType[message.GetType()];
}
