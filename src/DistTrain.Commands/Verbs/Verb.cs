using System.CommandLine;

namespace DistTrain.Commands.Verbs;

/// <summary>A verb with examples, which its help shows.</summary>
internal sealed class Verb(string name, string description, IReadOnlyList<string> examples) : Command(name, description)
{
    /// <summary>Command lines that work.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}
