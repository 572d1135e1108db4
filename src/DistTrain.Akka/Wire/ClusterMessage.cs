namespace DistTrain.Akka.Wire;

/// <summary>
/// What nodes, the leader of a run and clients tell each other. A closed hierarchy as that of the actors' messages: every message is a
/// sealed record whose primary constructor declares its fields once.
/// </summary>
internal abstract record ClusterMessage;

/// <summary>The name of a message on the wire. It never changes; a new meaning takes a new tag.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class ClusterTagAttribute(string tag) : Attribute
{
    /// <summary>Kebab-case, unique.</summary>
    public string Tag { get; } = tag;
}
