namespace DistTrain.Commands.Experiments;

/// <summary>The names of an enumeration's values in experiment files.</summary>
/// <remarks>
/// Each of the twenty enumerations is a type of its own for the compiler at run time, and all tables are made whenever an experiment is read: loops over two arrays spare every
/// start the compiling of three hundred methods of queries and comparers.
/// </remarks>
internal sealed class NameTable<T>
    where T : struct, Enum
{
    private readonly string[] _names;
    private readonly T[] _values;

    /// <summary>The names of an enumeration's values.</summary>
    /// <param name="rows">In the order of the documentation.</param>
    public NameTable(params ReadOnlySpan<(string Name, T Value)> rows)
    {
        _names = new string[rows.Length];
        _values = new T[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            (_names[i], _values[i]) = rows[i];
        }
    }

    /// <summary>All names, in the order of the documentation.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The name of a value: the first where it has several.</summary>
    public string NameOf(T value)
    {
        int place = 0;
        while (!_values[place].Equals(value))
        {
            place++;
        }

        return _names[place];
    }

    /// <summary>The value of a name; null when there is none of that name.</summary>
    public T? ValueOf(string name)
    {
        int place = Array.IndexOf(_names, name);
        return place < 0 ? null : _values[place];
    }
}
