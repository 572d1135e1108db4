using System.Globalization;
using System.Text;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// Writes the YAML of resolved experiments: block groups, flow lists, and quotes wherever a text could be read as something else.
/// </summary>
internal sealed class YamlText
{
    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>A comment line.</summary>
    public YamlText Comment(string text)
    {
        _text.Append("# ").Append(text).Append('\n');
        return this;
    }

    /// <summary>A key with a value as <see cref="Scalar"/> writes it; null writes <c>null</c>.</summary>
    public YamlText Key(string key, object? value)
    {
        _text.Append(' ', 2 * _depth).Append(key).Append(": ").Append(Scalar(value)).Append('\n');
        return this;
    }

    /// <summary>A key with a list in one line.</summary>
    public YamlText List(string key, IEnumerable<object> values)
    {
        _text.Append(' ', 2 * _depth).Append(key).Append(": [").AppendJoin(", ", values.Select(Scalar)).Append("]\n");
        return this;
    }

    /// <summary>A key with a group below it.</summary>
    public YamlText Group(string key, Action<YamlText> content)
    {
        _text.Append(' ', 2 * _depth).Append(key).Append(":\n");
        _depth++;
        content(this);
        _depth--;
        return this;
    }

    /// <summary>A list item that is a group in one line, optionally under a key of its own.</summary>
    public YamlText Item(string? key, IEnumerable<(string Key, object? Value)> settings)
    {
        string flow = $"{{ {string.Join(", ", settings.Select(setting => $"{setting.Key}: {Scalar(setting.Value)}"))} }}";
        _text.Append(' ', 2 * _depth).Append("- ").Append(key is null ? flow : $"{key}: {flow}").Append('\n');
        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    /// <summary>A value, or a list in one line: numbers in the shortest form that reads back to the same bits.</summary>
    public static string Scalar(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        string text => IsPlain(text) ? text : Quoted(text),
        object[] list => $"[{string.Join(", ", list.Select(Scalar))}]",
        _ => throw new ArgumentException($"A {value.GetType()} is no scalar.", nameof(value)),
    };

    // Only words that no YAML reader takes for a number, flag or null stand without quotes.
    private static bool IsPlain(string text) =>
        text.Length > 0
        && (char.IsAsciiLetter(text[0]) || text[0] == '/')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
        && text.ToLowerInvariant() is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off" or "y" or "n");

    private static string Quoted(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                < ' ' => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }
}
