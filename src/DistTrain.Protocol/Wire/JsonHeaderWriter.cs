using System.Buffers;
using System.Globalization;
using System.Text.Json;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Wire;

/// <summary>Writes a frame's header, and notes which buffers follow it in which order.</summary>
internal sealed class JsonHeaderWriter : IFieldWriter, IDisposable
{
    private readonly ArrayBufferWriter<byte> _bytes = new(512);
    private readonly Utf8JsonWriter _json;
    private readonly List<BufferHandle> _buffers = [];
    private IBufferBytes? _source;

    public JsonHeaderWriter() => _json = new Utf8JsonWriter(_bytes);

    /// <summary>The header.</summary>
    public ReadOnlySpan<byte> Header => _bytes.WrittenSpan;

    /// <summary>The buffers of the payload, in order.</summary>
    public IReadOnlyList<BufferHandle> Buffers => _buffers;

    /// <summary>Bytes of the payload.</summary>
    public long PayloadBytes { get; private set; }

    public void Write(Envelope envelope, IBufferBytes source)
    {
        _bytes.ResetWrittenCount();
        _json.Reset();
        _buffers.Clear();
        PayloadBytes = 0;
        _source = source;
        MessageSchema schema = MessageSchemas.Of(envelope.Message);
        _json.WriteStartObject();
        _json.WriteString("tag"u8, schema.Utf8Tag);
        WriteInt64(EnvelopeFields.Run, envelope.Run);
        WriteInt32(EnvelopeFields.Epoch, envelope.Epoch);
        WriteInt32(EnvelopeFields.From, envelope.From.Index);
        WriteInt32(EnvelopeFields.FromIncarnation, envelope.FromIncarnation);
        WriteInt32(EnvelopeFields.To, envelope.To.Index);
        WriteInt32(EnvelopeFields.ToIncarnation, envelope.ToIncarnation);
        WriteInt64(EnvelopeFields.Sequence, envelope.Sequence);
        WriteInt64(EnvelopeFields.Acknowledges, envelope.Acknowledges);
        schema.Write(envelope.Message, this);
        _json.WriteEndObject();
        _json.Flush();
        _source = null;
    }

    public void WriteInt32(MessageField field, int value) => _json.WriteNumber(field.Utf8Name, value);

    public void WriteInt64(MessageField field, long value) => _json.WriteNumber(field.Utf8Name, value);

    public void WriteFloat64(MessageField field, double value)
    {
        if (double.IsFinite(value))
        {
            _json.WriteNumber(field.Utf8Name, value);
            return;
        }

        // JSON has no numbers for these, and a NaN's bits tell where it came from.
        Span<byte> digits = stackalloc byte[16];
        BitConverter.DoubleToUInt64Bits(value).TryFormat(digits, out _, "x16", CultureInfo.InvariantCulture);
        _json.WriteString(field.Utf8Name, digits);
    }

    public void WriteBoolean(MessageField field, bool value) => _json.WriteBoolean(field.Utf8Name, value);

    public void WriteEnumeration(MessageField field, int value) => _json.WriteString(field.Utf8Name, field.NameOf(value));

    public void WriteInt32Array(MessageField field, int[] values)
    {
        _json.WriteStartArray(field.Utf8Name);
        foreach (int value in values)
        {
            _json.WriteNumberValue(value);
        }

        _json.WriteEndArray();
    }

    public void WriteBuffer(MessageField field, BufferHandle buffer)
    {
        if (buffer.IsNone)
        {
            _json.WriteNull(field.Utf8Name);
            return;
        }

        int length = _source!.BytesOf(buffer).Length;
        _json.WriteStartObject(field.Utf8Name);
        _json.WriteNumber("offset"u8, PayloadBytes);
        _json.WriteNumber("length"u8, length);
        _json.WriteEndObject();
        _buffers.Add(buffer);
        PayloadBytes += length;
    }

    public void Dispose() => _json.Dispose();
}
