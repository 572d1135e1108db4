using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Wire;

/// <summary>
/// Reads a frame's header. It checks every field against the schema before anything is made of it, so that nothing is
/// allocated for a frame that is
/// wrong but the values of its own bytes.
/// </summary>
internal sealed class JsonHeaderReader : IFieldReader
{
    private readonly List<int> _integers = [];
    private readonly Value[] _envelope = new Value[EnvelopeFields.All.Count];
    private Value[] _values = new Value[8];
    private MessageSchema? _schema;
    private int _payloadBytes, _payloadUsed;

    /// <summary>Parses a header that is followed by so many bytes of buffers.</summary>
    public void Parse(ReadOnlySpan<byte> header, int payloadBytes)
    {
        (_payloadBytes, _payloadUsed) = (payloadBytes, 0);
        Utf8JsonReader json = new(header, new JsonReaderOptions { MaxDepth = WireLimits.HeaderDepthMax });
        try
        {
            ParseObject(ref json);
            FrameException.Require(!json.Read(), "something follows the header's object");
        }
        catch (JsonException problem)
        {
            throw new FrameException($"the header is not JSON: {problem.Message}");
        }

        FrameException.Require(_payloadUsed == _payloadBytes, $"{_payloadBytes - _payloadUsed} bytes after the last buffer belong to nothing");
    }

    /// <summary>Takes the buffers over and makes the envelope; the header was parsed.</summary>
    public Envelope Take(ReadOnlySpan<byte> payload, IBufferSink sink)
    {
        for (int field = 0; field < _schema!.Fields.Count; field++)
        {
            ref Value value = ref _values[field];
            if (_schema.Fields[field].Kind == FieldKind.Buffer && value.Integer >= 0)
            {
                ReadOnlySpan<byte> bytes = payload.Slice((int)value.Integer, value.Length);
                bytes.CopyTo(sink.Allocate(bytes.Length, out value.Buffer));
            }
        }

        return Made();
    }

    /// <summary>As above, with buffers that are still on the wire.</summary>
    public Envelope Take(IPayloadSource payload, IBufferSink sink)
    {
        int expected = 0;
        for (int field = 0; field < _schema!.Fields.Count; field++)
        {
            if (_schema.Fields[field].Kind == FieldKind.Buffer && _values[field].Integer >= 0)
            {
                FrameException.Require(_values[field].Integer == expected, "buffers read off a stream stand in the order of their fields");
                expected += _values[field].Length;
            }
        }

        for (int field = 0; field < _schema!.Fields.Count; field++)
        {
            ref Value value = ref _values[field];
            if (_schema.Fields[field].Kind == FieldKind.Buffer && value.Integer >= 0)
            {
                payload.Fill(sink.Allocate(value.Length, out value.Buffer));
            }
        }

        return Made();
    }
    public int ReadInt32(MessageField field) => (int)_values[field.Index].Integer;

    public long ReadInt64(MessageField field) => _values[field.Index].Integer;

    public double ReadFloat64(MessageField field) => BitConverter.Int64BitsToDouble(_values[field.Index].Integer);

    public bool ReadBoolean(MessageField field) => _values[field.Index].Integer != 0;

    public int ReadEnumeration(MessageField field) => (int)_values[field.Index].Integer;

    public int[] ReadInt32Array(MessageField field) => _values[field.Index].Array!;

    public BufferHandle ReadBuffer(MessageField field) => _values[field.Index].Buffer;

    private static string Quote(ReadOnlySpan<byte> text) => $"'{Encoding.UTF8.GetString(text[..Math.Min(text.Length, 40)])}'";

    private long Of(MessageField field) => _envelope[field.Index].Integer;

    private Envelope Made()
    {
        Message message = _schema!.Read(this);
        Array.Clear(_values);
        return new Envelope(
            Of(EnvelopeFields.Run),
            (int)Of(EnvelopeFields.Epoch),
            new ActorId((int)Of(EnvelopeFields.From)),
            (int)Of(EnvelopeFields.FromIncarnation),
            new ActorId((int)Of(EnvelopeFields.To)),
            (int)Of(EnvelopeFields.ToIncarnation),
            Of(EnvelopeFields.Sequence),
            Of(EnvelopeFields.Acknowledges),
            message);
    }

    private void ParseObject(ref Utf8JsonReader json)
    {
        FrameException.Require(json.Read() && json.TokenType == JsonTokenType.StartObject, "the header is not a JSON object");
        FrameException.Require(json.Read() && json.TokenType == JsonTokenType.PropertyName && json.ValueSpan.SequenceEqual("tag"u8),
            "the header does not start with 'tag'");
        FrameException.Require(json.Read() && json.TokenType == JsonTokenType.String, "'tag' is not a string");
        _schema = MessageSchemas.Find(json.ValueSpan) ?? throw new FrameException($"the tag {Quote(json.ValueSpan)} is unknown");
        if (_values.Length < _schema.Fields.Count)
        {
            _values = new Value[_schema.Fields.Count];
        }

        Array.Clear(_values);
        Array.Clear(_envelope);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            MessageField? field = Find(EnvelopeFields.All, json.ValueSpan);
            Value[] values = field is null ? _values : _envelope;
            field ??= Find(_schema.Fields, json.ValueSpan)
                ?? throw new FrameException($"'{_schema.Tag}' has no field {Quote(json.ValueSpan)}");
            FrameException.Require(!values[field.Index].IsThere, $"the field '{field.Name}' is there twice");
            values[field.Index].IsThere = true;
            FrameException.Require(json.Read(), $"the field '{field.Name}' has no value");
            ParseValue(ref json, field, ref values[field.Index]);
        }

        RequireAll(EnvelopeFields.All, _envelope);
        RequireAll(_schema.Fields, _values);
    }

    private static MessageField? Find(IReadOnlyList<MessageField> fields, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < fields.Count; i++)
        {
            if (fields[i].Utf8Name.SequenceEqual(name))
            {
                return fields[i];
            }
        }

        return null;
    }

    private static void RequireAll(IReadOnlyList<MessageField> fields, Value[] values)
    {
        for (int i = 0; i < fields.Count; i++)
        {
            FrameException.Require(values[i].IsThere, $"the field '{fields[i].Name}' is missing");
        }
    }

    private void ParseValue(ref Utf8JsonReader json, MessageField field, ref Value value)
    {
        bool fits = field.Kind switch
        {
            FieldKind.Int32 => TryInt32(ref json, out value.Integer),
            FieldKind.Int64 => json.TokenType == JsonTokenType.Number && json.TryGetInt64(out value.Integer),
            FieldKind.Float64 => TryFloat64(ref json, out value.Integer),
            FieldKind.Boolean => TryBoolean(ref json, out value.Integer),
            FieldKind.Enumeration => TryEnumeration(ref json, field, out value.Integer),
            FieldKind.Int32Array => TryArray(ref json, out value.Array),
            _ => TryPlace(ref json, field, ref value),
        };
        FrameException.Require(fits, $"the field '{field.Name}' is no {field.Kind}");
    }

    private static bool TryInt32(ref Utf8JsonReader json, out long value)
    {
        bool fits = json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int number);
        value = fits ? json.GetInt32() : 0;
        return fits;
    }

    private static bool TryBoolean(ref Utf8JsonReader json, out long value)
    {
        value = json.TokenType == JsonTokenType.True ? 1 : 0;
        return json.TokenType is JsonTokenType.True or JsonTokenType.False;
    }

    private static bool TryFloat64(ref Utf8JsonReader json, out long bits)
    {
        bits = 0;
        if (json.TokenType == JsonTokenType.Number && json.TryGetDouble(out double number) && double.IsFinite(number))
        {
            bits = BitConverter.DoubleToInt64Bits(number);
            return true;
        }

        return json.TokenType == JsonTokenType.String
            && json.ValueSpan.Length == 16
            && Utf8Parser.TryParse(json.ValueSpan, out bits, out int consumed, 'x')
            && consumed == 16
            && !double.IsFinite(BitConverter.Int64BitsToDouble(bits));
    }

    private static bool TryEnumeration(ref Utf8JsonReader json, MessageField field, out long value)
    {
        int known = 0;
        bool fits = json.TokenType == JsonTokenType.String && field.TryValueOf(json.ValueSpan, out known);
        value = known;
        return fits;
    }

    private bool TryArray(ref Utf8JsonReader json, out int[]? values)
    {
        values = null;
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        _integers.Clear();
        while (json.Read() && json.TokenType == JsonTokenType.Number)
        {
            if (!json.TryGetInt32(out int value))
            {
                return false;
            }

            _integers.Add(value);
        }

        values = [.. _integers];
        return json.TokenType == JsonTokenType.EndArray;
    }

    /// <summary>A buffer's place; buffers follow one another without gaps, so no byte is read twice and none is left.</summary>
    private bool TryPlace(ref Utf8JsonReader json, MessageField field, ref Value value)
    {
        value.Integer = -1;
        if (json.TokenType == JsonTokenType.Null)
        {
            return true;
        }

        if (json.TokenType != JsonTokenType.StartObject
            || !TryNamed(ref json, "offset"u8, out int offset)
            || !TryNamed(ref json, "length"u8, out int length)
            || !json.Read()
            || json.TokenType != JsonTokenType.EndObject)
        {
            return false;
        }

        FrameException.Require(
            offset == _payloadUsed && length >= 0 && length <= _payloadBytes - _payloadUsed,
            $"the buffer '{field.Name}' is {length} bytes from {offset} on, where {_payloadBytes - _payloadUsed} from {_payloadUsed} on are left");
        (value.Integer, value.Length) = (offset, length);
        _payloadUsed += length;
        return true;
    }

    private static bool TryNamed(ref Utf8JsonReader json, ReadOnlySpan<byte> name, out int value)
    {
        value = 0;
        return json.Read()
            && json.TokenType == JsonTokenType.PropertyName
            && json.ValueSpan.SequenceEqual(name)
            && json.Read()
            && json.TokenType == JsonTokenType.Number
            && json.TryGetInt32(out value);
    }

    /// <summary>A parsed value. Integer also holds a double's bits, a truth value, an enumeration's value, or a buffer's
    /// offset (−1 for none).</summary>
    private struct Value
    {
        public bool IsThere;
        public long Integer;
        public int Length;
        public int[]? Array;
        public BufferHandle Buffer;
    }
}
