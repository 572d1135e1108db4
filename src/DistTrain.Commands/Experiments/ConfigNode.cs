using System.Diagnostics.CodeAnalysis;

namespace DistTrain.Commands.Experiments;

/// <summary>A node of an experiment file; every node knows where it was given.</summary>
internal abstract class ConfigNode(SourceMark mark)
{
    /// <summary>Where it was given.</summary>
    public SourceMark Mark { get; } = mark;

    /// <summary>What it is, for messages.</summary>
    public abstract string Description { get; }
}

/// <summary>A single value. Only plain ones (not in quotes) can be numbers, flags or null.</summary>
internal sealed class ConfigScalar(SourceMark mark, string text, bool plain) : ConfigNode(mark)
{
    /// <summary>The value's text.</summary>
    public string Text { get; } = text;

    /// <summary>Whether it stood without quotes.</summary>
    public bool Plain { get; } = plain;

    /// <summary>Whether it stands for "not set".</summary>
    public bool IsNull => Plain && Text is "" or "~" or "null" or "Null" or "NULL";

    /// <inheritdoc/>
    public override string Description => Plain ? $"'{Text}'" : $"the text \"{Text}\"";
}

/// <summary>One key with its value.</summary>
internal sealed record ConfigEntry(string Key, SourceMark Mark, ConfigNode Value);

/// <summary>Keys with values, in the order of the file.</summary>
internal sealed class ConfigMap(SourceMark mark) : ConfigNode(mark)
{
    private readonly List<ConfigEntry> _entries = [];

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<ConfigEntry> Entries => _entries;

    /// <inheritdoc/>
    public override string Description => "a group of keys";

    /// <summary>Finds a key.</summary>
    public bool TryFind(string key, [NotNullWhen(true)] out ConfigEntry? entry)
    {
        entry = _entries.Find(candidate => candidate.Key == key);
        return entry is not null;
    }

    /// <summary>Adds a key or replaces its value.</summary>
    public void Set(ConfigEntry entry)
    {
        int index = _entries.FindIndex(candidate => candidate.Key == entry.Key);
        if (index < 0)
        {
            _entries.Add(entry);
        }
        else
        {
            _entries[index] = entry;
        }
    }
}

/// <summary>Values in order.</summary>
internal sealed class ConfigList(SourceMark mark) : ConfigNode(mark)
{
    /// <summary>The values.</summary>
    public List<ConfigNode> Items { get; } = [];

    /// <inheritdoc/>
    public override string Description => "a list";
}
