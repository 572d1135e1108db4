using System.CommandLine;

namespace DistTrain.Commands.Verbs;

/// <summary>A verb with examples, which its help shows.</summary>
/// <param name="name">The word for it.</param>
/// <param name="description">What its help says.</param>
/// <param name="examples">Command lines that work.</param>
/// <param name="makesFiles">Whether what it makes is a folder or file, and what it prints only tells of it; not so with <c>--json</c>, whose JSON is to be read.</param>
internal sealed class Verb(string name, string description, IReadOnlyList<string> examples, bool makesFiles = false) : Command(name, description)
{
    /// <summary>Command lines that work.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Whether what it prints only tells of a folder or file that it makes.</summary>
    public bool MakesFiles => makesFiles;
}
