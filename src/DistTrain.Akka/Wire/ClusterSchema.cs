using System.Buffers;
using System.Reflection;
using System.Text;
using DistTrain.Protocol;
using DistTrain.Protocol.Wire;
using MessagePack;

namespace DistTrain.Akka.Wire;

/// <summary>A field of a nodes' message.</summary>
/// <param name="Name">In kebab-case.</param>
/// <param name="Kind">What it holds.</param>
internal sealed record ClusterField(string Name, ClusterFieldKind Kind);

/// <summary>What a field of a nodes' message may hold.</summary>
internal enum ClusterFieldKind
{
    /// <summary>32-bit integer.</summary>
    Int32,

    /// <summary>64-bit integer.</summary>
    Int64,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>Text.</summary>
    String,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Texts.</summary>
    Strings,

    /// <summary>32-bit integers.</summary>
    Int32Array,
}

/// <summary>A nodes' message's declaration, taken from its record's primary constructor, and its form in MessagePack: an array of its
/// fields. These messages are rare beside those of the actors, so reflection serves.</summary>
internal sealed class ClusterSchema
{
    private static readonly (Type Type, ClusterFieldKind Kind)[] Kinds =
    [
        (typeof(int), ClusterFieldKind.Int32),
        (typeof(long), ClusterFieldKind.Int64),
        (typeof(bool), ClusterFieldKind.Boolean),
        (typeof(string), ClusterFieldKind.String),
        (typeof(byte[]), ClusterFieldKind.Bytes),
        (typeof(string[]), ClusterFieldKind.Strings),
        (typeof(int[]), ClusterFieldKind.Int32Array),
    ];

    private static readonly ClusterSchema[] Schemas =
    [
        .. typeof(ClusterMessage).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(ClusterMessage)))
            .Select(type => new ClusterSchema(type))
            .OrderBy(schema => schema.Tag, StringComparer.Ordinal),
    ];

    private static readonly Dictionary<Type, ClusterSchema> ByType = Schemas.ToDictionary(schema => schema.Type);

    private readonly ConstructorInfo _constructor;
    private readonly PropertyInfo[] _properties;

    private ClusterSchema(Type type)
    {
        Type = type;
        Tag = type.GetCustomAttribute<ClusterTagAttribute>()?.Tag ?? throw new InvariantException($"{type.Name} has a tag.");
        _constructor = type.GetConstructors().Single();
        ParameterInfo[] parameters = _constructor.GetParameters();
        _properties = [.. parameters.Select(parameter => type.GetProperty(parameter.Name!)!)];
        Fields = [.. parameters.Select(parameter => new ClusterField(KebabCase.From(parameter.Name!), KindOf(parameter.ParameterType)))];
    }

    /// <summary>All messages, in ordinal order of the tag.</summary>
    public static IReadOnlyList<ClusterSchema> All => Schemas;

    /// <summary>The name on the wire.</summary>
    public string Tag { get; }

    /// <summary>The message type.</summary>
    public Type Type { get; }

    /// <summary>The fields in the order of declaration.</summary>
    public IReadOnlyList<ClusterField> Fields { get; }

    /// <summary>The declaration of a message.</summary>
    public static ClusterSchema Of(ClusterMessage message) => ByType[message.GetType()];

    /// <summary>A message's bytes.</summary>
    public byte[] Write(ClusterMessage message)
    {
        ArrayBufferWriter<byte> bytes = new();
        MessagePackWriter writer = new(bytes);
        writer.WriteArrayHeader(Fields.Count);
        foreach (PropertyInfo property in _properties)
        {
            Write(ref writer, property.GetValue(message));
        }

        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>The message of some bytes; throws <see cref="FrameException"/> when they are not of this declaration.</summary>
    public ClusterMessage Read(byte[] bytes)
    {
        MessagePackReader reader = new(bytes);
        try
        {
            int there = reader.ReadArrayHeader();
            if (there != Fields.Count)
            {
                throw new FrameException($"'{Tag}' has {there} fields; expected {Fields.Count}");
            }

            object[] values = new object[there];
            for (int field = 0; field < there; field++)
            {
                values[field] = Read(ref reader, Fields[field].Kind);
            }

            return reader.End ? (ClusterMessage)_constructor.Invoke(values) : throw new FrameException($"something follows the fields of '{Tag}'");
        }
        catch (Exception wrong) when (wrong is MessagePackSerializationException or EndOfStreamException or OverflowException or DecoderFallbackException)
        {
            throw new FrameException($"'{Tag}' is not MessagePack of its fields: {wrong.Message}");
        }
    }

    private static ClusterFieldKind KindOf(Type type)
    {
        foreach ((Type known, ClusterFieldKind kind) in Kinds)
        {
            if (known == type)
            {
                return kind;
            }
        }

        throw new InvariantException($"Nodes' messages have no fields of type {type.Name}.");
    }

    private static void Write(ref MessagePackWriter writer, object? value)
    {
        switch (value)
        {
            case int number:
                writer.Write(number);
                break;
            case long number:
                writer.Write(number);
                break;
            case bool truth:
                writer.Write(truth);
                break;
            case string text:
                writer.Write(text);
                break;
            case byte[] bytes:
                writer.Write(bytes);
                break;
            case string[] texts:
                writer.WriteArrayHeader(texts.Length);
                foreach (string text in texts)
                {
                    writer.Write(text);
                }

                break;
            case int[] numbers:
                writer.WriteArrayHeader(numbers.Length);
                foreach (int number in numbers)
                {
                    writer.Write(number);
                }

                break;
        }
    }

    private static object Read(ref MessagePackReader reader, ClusterFieldKind kind) => kind switch
    {
        ClusterFieldKind.Int32 => reader.ReadInt32(),
        ClusterFieldKind.Int64 => reader.ReadInt64(),
        ClusterFieldKind.Boolean => reader.ReadBoolean(),
        ClusterFieldKind.String => reader.ReadString() ?? "",
        ClusterFieldKind.Bytes => reader.ReadBytes()?.ToArray() ?? [],
        ClusterFieldKind.Strings => ReadStrings(ref reader),
        _ => ReadIntegers(ref reader),
    };

    private static string[] ReadStrings(ref MessagePackReader reader)
    {
        string[] texts = new string[reader.ReadArrayHeader()];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = reader.ReadString() ?? "";
        }

        return texts;
    }

    private static int[] ReadIntegers(ref MessagePackReader reader)
    {
        int[] numbers = new int[reader.ReadArrayHeader()];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = reader.ReadInt32();
        }

        return numbers;
    }
}
