using System.Text;

namespace DistTrain.Protocol.Wire;

/// <summary>One field of a message as its record declares it.</summary>
public sealed class MessageField
{
    private readonly byte[] _utf8;
    private readonly (string Name, byte[] Utf8, int Value)[] _values;

    internal MessageField(int index, string clrName, Type type)
    {
        Index = index;
        Name = KebabCase.From(clrName);
        _utf8 = Encoding.UTF8.GetBytes(Name);
        Kind = KindOf(type);
        _values = Kind == FieldKind.Enumeration ? ValuesOf(type) : [];
    }

    /// <summary>Position among the message's fields.</summary>
    public int Index { get; }

    /// <summary>In kebab-case.</summary>
    public string Name { get; }

    /// <summary>What it holds.</summary>
    public FieldKind Kind { get; }

    /// <summary>The name as UTF-8.</summary>
    public ReadOnlySpan<byte> Utf8Name => _utf8;

    /// <summary>The names of an enumeration's values; none for other kinds.</summary>
    public IEnumerable<string> ValueNames => _values.Select(value => value.Name);

    /// <summary>An enumeration's value as its kebab-case name.</summary>
    public string NameOf(int value)
    {
        foreach ((string name, _, int known) in _values)
        {
            if (known == value)
            {
                return name;
            }
        }

        throw new InvariantException($"{value} is a value of '{Name}'.");
    }

    /// <summary>An enumeration's value by its kebab-case name; false when there is none.</summary>
    public bool TryValueOf(ReadOnlySpan<byte> utf8Name, out int value)
    {
        foreach ((_, byte[] utf8, int known) in _values)
        {
            if (utf8Name.SequenceEqual(utf8))
            {
                value = known;
                return true;
            }
        }

        value = 0;
        return false;
    }

    private static FieldKind KindOf(Type type) =>
        type == typeof(int) ? FieldKind.Int32
        : type == typeof(long) ? FieldKind.Int64
        : type == typeof(double) ? FieldKind.Float64
        : type == typeof(bool) ? FieldKind.Boolean
        : type == typeof(int[]) ? FieldKind.Int32Array
        : type == typeof(Jobs.BufferHandle) ? FieldKind.Buffer
        : type.IsEnum && Enum.GetUnderlyingType(type) == typeof(int) ? FieldKind.Enumeration
        : throw new InvariantException($"Messages have no fields of type {type.Name}.");

    private static (string Name, byte[] Utf8, int Value)[] ValuesOf(Type type)
    {
        List<(string Name, byte[] Utf8, int Value)> values = [];
        foreach (object value in Enum.GetValues(type))
        {
            string name = KebabCase.From(value.ToString()!);
            values.Add((name, Encoding.UTF8.GetBytes(name), (int)value));
        }

        return [.. values];
    }
}
