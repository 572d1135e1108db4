using System.Globalization;

namespace DistTrain.Data.Sources;

/// <summary>
/// Numbers the texts of a label column. While it is open it numbers them as they come; <see cref="Close"/> puts them in order
/// (numerically when all are numbers, else ordinally), and from then on unknown texts are refused.
/// </summary>
internal sealed class LabelSet
{
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];
    private bool _closed;

    /// <summary>An open set, or with <paramref name="classes"/> a closed one of the integers 0 … classes−1.</summary>
    public LabelSet(int? classes)
    {
        for (int label = 0; label < classes; label++)
        {
            _numbers.Add($"{label}", label);
            _names.Add($"{label}");
        }

        _closed = classes is not null;
    }

    public IReadOnlyList<string> Names => _names;

    /// <summary>The known labels for messages, at most ten of them.</summary>
    public string Known =>
        string.Join(", ", _names.Take(10).Select(name => $"'{name}'")) + (_names.Count > 10 ? $", … ({_names.Count})" : "");

    /// <summary>The number of a label; false when the set is closed and lacks it, or the label is empty.</summary>
    public bool TryNumber(ReadOnlySpan<char> text, out int number)
    {
        string name = Canonical(text);
        if (_numbers.TryGetValue(name, out number))
        {
            return true;
        }

        if (_closed || name.Length == 0)
        {
            return false;
        }

        number = _names.Count;
        _numbers.Add(name, number);
        _names.Add(name);
        return true;
    }

    /// <summary>Sorts the names, closes the set, and renumbers <paramref name="labels"/> to match.</summary>
    public void Close(Span<int> labels)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        string[] found = [.. _names];
        _names.Sort(found.All(name => Number(name) is not null)
            ? (a, b) => Nullable.Compare(Number(a), Number(b)) is int order and not 0 ? order : string.CompareOrdinal(a, b)
            : string.CompareOrdinal);
        for (int i = 0; i < _names.Count; i++)
        {
            _numbers[_names[i]] = i;
        }

        foreach (ref int label in labels)
        {
            label = _numbers[found[label]];
        }
    }

    private static double? Number(ReadOnlySpan<char> name) =>
        double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : null;

    /// <summary>
    /// Integers lose signs, zeros and points that do not change their value, so that 3, 03 and 3.0 are one class.
    /// </summary>
    private static string Canonical(ReadOnlySpan<char> text) =>
        Number(text) is double value && Math.Abs(value) < 1e15 && Math.Floor(value) == value ? $"{(long)value}" : text.ToString();
}
