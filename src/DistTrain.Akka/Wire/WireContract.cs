using DistTrain.Protocol.Wire;

namespace DistTrain.Akka.Wire;

/// <summary>
/// The names by which messages travel between nodes: <c>tag/version</c>. They are looked up in a closed list; nothing that arrives names a
/// type of this program.
/// </summary>
internal static class WireContract
{
    /// <summary>
    /// Version of every message and of the handshake. Nodes of different versions refuse each other, for a run needs the same arithmetic
    /// everywhere anyway. Raised with every change of the frozen contract that the tests hold.
    /// </summary>
    public const int Version = 3;

    private static readonly Dictionary<string, MessageSchema> Envelopes =
        MessageSchemas.All.ToDictionary(schema => ManifestOf(schema.Tag), StringComparer.Ordinal);

    private static readonly Dictionary<string, ClusterSchema> Cluster =
        ClusterSchema.All.ToDictionary(schema => ManifestOf(schema.Tag), StringComparer.Ordinal);

    /// <summary>A tag's manifest.</summary>
    public static string ManifestOf(string tag) => $"{tag}/{Version}";

    /// <summary>The actors' message of a manifest; null for none.</summary>
    public static MessageSchema? FindEnvelope(string manifest) => Envelopes.GetValueOrDefault(manifest);

    /// <summary>The nodes' message of a manifest; null for none.</summary>
    public static ClusterSchema? FindCluster(string manifest) => Cluster.GetValueOrDefault(manifest);

    /// <summary>Every message with its fields, a line each, in ordinal order: what must not change without a new version.</summary>
    public static IReadOnlyList<string> Lines { get; } =
    [
        .. MessageSchemas.All.Select(schema => $"{ManifestOf(schema.Tag)}: {Text(PackedFields.Envelope.Concat(schema.Fields).Select(Text))}")
            .Concat(ClusterSchema.All.Select(schema => $"{ManifestOf(schema.Tag)}: {Text(schema.Fields.Select(field => $"{field.Name} {field.Kind}"))}"))
            .Order(StringComparer.Ordinal),
    ];

    private static string Text(MessageField field) => field.Kind == FieldKind.Enumeration
        ? $"{field.Name} {string.Join('|', field.ValueNames)}"
        : $"{field.Name} {field.Kind}";

    private static string Text(IEnumerable<string> fields) => string.Join(", ", fields);
}
