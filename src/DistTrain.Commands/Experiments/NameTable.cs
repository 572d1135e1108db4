namespace DistTrain.Commands.Experiments;

/// <summary>The names of an enumeration's values in experiment files.</summary>
internal sealed class NameTable<T>(params (string Name, T Value)[] rows)
    where T : struct, Enum
{
    /// <summary>All names, in the order of the documentation.</summary>
    public IReadOnlyList<string> Names { get; } = [.. rows.Select(row => row.Name)];

    /// <summary>The name of a value.</summary>
    public string NameOf(T value) => rows.First(row => EqualityComparer<T>.Default.Equals(row.Value, value)).Name;

    /// <summary>The value of a name; null when there is none of that name.</summary>
    public T? ValueOf(string name)
    {
        foreach ((string candidate, T value) in rows)
        {
            if (candidate == name)
            {
                return value;
            }
        }

        return null;
    }
}
