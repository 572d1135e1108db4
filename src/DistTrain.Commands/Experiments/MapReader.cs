using System.Globalization;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// Reads the keys of one group. Whatever is wrong goes to the problem list and the default stands in, so that one pass finds
/// every problem. <see cref="Finish"/> reports keys that nobody asked for.
/// </summary>
internal sealed class MapReader(ConfigMap map, string path, ProblemList problems)
{
    private readonly List<string> _known = [];

    /// <summary>Where the group was given.</summary>
    public SourceMark Mark => map.Mark;

    /// <summary>The group's path.</summary>
    public string Path { get; } = path;

    /// <summary>Where problems go.</summary>
    public ProblemList Problems { get; } = problems;

    /// <summary>Whether a key is there and not null.</summary>
    public bool Has(string key) => map.TryFind(key, out ConfigEntry? entry) && entry.Value is not ConfigScalar { IsNull: true };

    /// <summary>The full path of a key.</summary>
    public string At(string key) => KeyPath.Join(Path, key);

    /// <summary>Where a key was given, or the group where it was not.</summary>
    public SourceMark MarkOf(string key) => map.TryFind(key, out ConfigEntry? entry) ? entry.Mark : map.Mark;

    /// <summary>Reports a problem of a key.</summary>
    public void Problem(string key, string message) => Problems.Add(MarkOf(key), At(key), message);

    /// <summary>The node of a key; null when it is not there or null.</summary>
    public ConfigNode? Node(string key)
    {
        _known.Add(key);
        return map.TryFind(key, out ConfigEntry? entry) && entry.Value is not ConfigScalar { IsNull: true } ? entry.Value : null;
    }

    /// <summary>As <see cref="Node"/>; a missing key is a problem.</summary>
    public ConfigNode? Required(string key, string expected)
    {
        ConfigNode? node = Node(key);
        if (node is null)
        {
            Problem(key, $"this key is missing; expected {expected}");
        }

        return node;
    }

    /// <summary>A whole number; null when not given or wrong.</summary>
    public int? Whole(string key, int min, int max = int.MaxValue)
    {
        if (Node(key) is not ConfigNode node)
        {
            return null;
        }

        if (node is ConfigScalar { Plain: true } scalar
            && decimal.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal value)
            && value == decimal.Truncate(value))
        {
            if (value >= min && value <= max)
            {
                return (int)value;
            }

            Problem(key, $"{scalar.Text} is out of range; expected {NumberRange.Whole(min, max, namesMax: value > max)}");
            return null;
        }

        Problem(key, $"{node.Description} is not a whole number; expected {NumberRange.Whole(min, max)}");
        return null;
    }

    /// <summary>A whole number that must be there; <paramref name="min"/> stands in where it is missing or wrong.</summary>
    public int RequiredWhole(string key, int min, int max = int.MaxValue) =>
        Required(key, NumberRange.Whole(min, max)) is null ? min : Whole(key, min, max) ?? min;

    /// <summary>A seed: a whole number from 0 to 2^64 − 1.</summary>
    public ulong Seed(string key, ulong fallback)
    {
        if (Node(key) is not ConfigNode node)
        {
            return fallback;
        }

        if (node is ConfigScalar { Plain: true } scalar
            && ulong.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
        {
            return value;
        }

        Problem(key, $"{node.Description} is not a seed; expected a whole number from 0 to {ulong.MaxValue}");
        return fallback;
    }

    /// <summary>A number; null when not given or wrong.</summary>
    public double? Number(string key, NumberRange range)
    {
        if (Node(key) is not ConfigNode node)
        {
            return null;
        }

        if (node is not ConfigScalar { Plain: true } scalar
            || !double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
        {
            Problem(key, $"{node.Description} is not a number; expected {range.Text}");
            return null;
        }

        if (!range.Contains(value))
        {
            Problem(key, $"{scalar.Text} is out of range; expected {range.Text}");
            return null;
        }

        return value;
    }

    /// <summary>A number that must be there; 0 stands in where it is missing or wrong.</summary>
    public double RequiredNumber(string key, NumberRange range) =>
        Required(key, range.Text) is null ? 0 : Number(key, range) ?? 0;

    /// <summary>true or false.</summary>
    public bool Flag(string key, bool fallback)
    {
        switch (Node(key))
        {
            case null:
                return fallback;
            case ConfigScalar { Plain: true, Text: "true" or "True" or "TRUE" }:
                return true;
            case ConfigScalar { Plain: true, Text: "false" or "False" or "FALSE" }:
                return false;
            case ConfigNode other:
                Problem(key, $"{other.Description} is neither true nor false; expected true or false");
                return fallback;
        }
    }

    /// <summary>A text; null when not given or wrong.</summary>
    public string? Text(string key, string expected)
    {
        switch (Node(key))
        {
            case null:
                return null;
            case ConfigScalar { Text.Length: > 0 } scalar:
                return scalar.Text;
            case ConfigNode other:
                Problem(key, $"{other.Description} is not a value; expected {expected}");
                return null;
        }
    }

    /// <summary>One of a fixed set of words; null when not given or wrong.</summary>
    public string? Word(string key, IReadOnlyList<string> words)
    {
        if (Text(key, OneOf(words)) is not string text || words.Contains(text))
        {
            return Has(key) ? Text(key, "") : null;
        }

        Problem(key, $"'{text}' is not known; expected {OneOf([.. Nearest.Ranked(text, words)])}{Nearest.Hint(text, words)}");
        return null;
    }

    /// <summary>A value of an enumeration; null when not given or wrong.</summary>
    public T? Choice<T>(string key, NameTable<T> table)
        where T : struct, Enum => Word(key, table.Names) is string word ? table.ValueOf(word) : null;

    /// <summary>A group below this one; null when not given or wrong.</summary>
    public MapReader? Group(string key, string expected)
    {
        switch (Node(key))
        {
            case null:
                return null;
            case ConfigMap inner:
                return new MapReader(inner, At(key), Problems);
            case ConfigNode other:
                Problem(key, $"{other.Description} is not a group of keys; expected {expected}");
                return null;
        }
    }

    /// <summary>A duration with its unit, such as <c>30s</c> or <c>10m</c>; null when not given or wrong.</summary>
    public TimeSpan? Duration(string key)
    {
        if (Node(key) is not ConfigNode node)
        {
            return null;
        }

        if (node is ConfigScalar scalar && Durations.TryParse(scalar.Text, out TimeSpan value))
        {
            return value;
        }

        if (node is ConfigScalar given && Durations.IsTooLong(given.Text))
        {
            Problem(key, $"{given.Text} is out of range; expected a duration of at most {Durations.Longest}");
            return null;
        }

        Problem(
            key, $"{node.Description} is not a duration; expected a number above 0 with its unit, such as 500ms, 30s, 10m or 1h");
        return null;
    }

    /// <summary>A duration that may be 0; null when not given or wrong, as where it is longer than <paramref name="most"/>.</summary>
    public TimeSpan? DurationOrZero(string key, TimeSpan? most = null)
    {
        if (Node(key) is not ConfigNode node)
        {
            return null;
        }

        bool isDuration = false;
        TimeSpan value = default;
        if (node is ConfigScalar scalar)
        {
            isDuration = Durations.TryParse(scalar.Text, out value) || Durations.IsZero(scalar.Text);
            if (Durations.IsTooLong(scalar.Text) || value > most)
            {
                Problem(key, $"{scalar.Text} is out of range; expected a duration from 0s to {(most is TimeSpan longest ? Durations.Format(longest) : Durations.Longest)}");
                return null;
            }
        }

        if (isDuration)
        {
            return value;
        }

        Problem(key, $"{node.Description} is not a duration; expected a number of at least 0 with its unit, such as 0s, 50us, 2ms or 1s");
        return null;
    }

    /// <summary>
    /// Reports every key that was not asked for; <paramref name="elsewhere"/> may say where a known word belongs.
    /// </summary>
    public void Finish(Func<string, string?>? elsewhere = null)
    {
        foreach (ConfigEntry entry in map.Entries.Where(entry => !_known.Contains(entry.Key)))
        {
            string message = SpaceMissing(entry) ?? elsewhere?.Invoke(entry.Key)
                ?? $"there is no such key; expected "
                    + $"{OneOf([.. Nearest.Ranked(entry.Key, _known.Distinct())])}{Nearest.Hint(entry.Key, _known)}";
            Problems.Add(entry.Mark, At(entry.Key), message);
        }
    }

    // In YAML "{a:1}" is the key "a:1" without a value, a slip that an unknown key alone would not explain.
    private static string? SpaceMissing(ConfigEntry entry) =>
        entry.Value is ConfigScalar { IsNull: true } && entry.Key.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon
            ? $"YAML needs a space after a colon; expected {entry.Key[..colon]}: {entry.Key[(colon + 1)..]}"
            : null;

    /// <summary>"a, b or c".</summary>
    public static string OneOf(IReadOnlyList<string> words) => words.Count switch
    {
        0 => "nothing",
        1 => words[0],
        _ => $"{string.Join(", ", words.Take(words.Count - 1))} or {words[^1]}",
    };
}
