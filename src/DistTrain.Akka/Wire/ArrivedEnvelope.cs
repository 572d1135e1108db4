using System.Text;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;
using MessagePack;

namespace DistTrain.Akka.Wire;

/// <summary>
/// An envelope that came by Akka.Remote, every field checked against its declaration. Its buffers are still in the bytes; whoever hosts the
/// addressee takes them into its pool.
/// </summary>
internal sealed class ArrivedEnvelope : IFieldReader
{
    private readonly MessageSchema _schema;
    private readonly byte[] _bytes;
    private readonly long[] _envelope = new long[PackedFields.Envelope.Count];
    private readonly Value[] _values;

    /// <summary>Reads the bytes; throws <see cref="FrameException"/> when they are not what the manifest says.</summary>
    public ArrivedEnvelope(MessageSchema schema, byte[] bytes)
    {
        (_schema, _bytes) = (schema, bytes);
        _values = new Value[schema.Fields.Count];
        MessagePackReader reader = new(bytes);
        try
        {
            ReadFields(ref reader);
        }
        catch (Exception wrong) when (wrong is MessagePackSerializationException or EndOfStreamException or OverflowException)
        {
            throw new FrameException($"'{schema.Tag}' is not MessagePack of its fields: {wrong.Message}");
        }
    }

    /// <summary>The run that it belongs to.</summary>
    public long Run => _envelope[0];

    /// <summary>Takes the buffers over and makes the envelope.</summary>
    public Envelope Open(IBufferSink sink)
    {
        for (int field = 0; field < _values.Length; field++)
        {
            ref Value value = ref _values[field];
            if (_schema.Fields[field].Kind == FieldKind.Buffer && value.Integer >= 0)
            {
                _bytes.AsSpan((int)value.Integer, value.Length).CopyTo(sink.Allocate(value.Length, out value.Buffer));
            }
        }

        return new Envelope(
            _envelope[0],
            (int)_envelope[1],
            new ActorId((int)_envelope[2]),
            (int)_envelope[3],
            new ActorId((int)_envelope[4]),
            (int)_envelope[5],
            _envelope[6],
            _envelope[7],
            _schema.Read(this));
    }

    public int ReadInt32(MessageField field) => (int)_values[field.Index].Integer;

    public long ReadInt64(MessageField field) => _values[field.Index].Integer;

    public double ReadFloat64(MessageField field) => BitConverter.Int64BitsToDouble(_values[field.Index].Integer);

    public bool ReadBoolean(MessageField field) => _values[field.Index].Integer != 0;

    public int ReadEnumeration(MessageField field) => (int)_values[field.Index].Integer;

    public int[] ReadInt32Array(MessageField field) => _values[field.Index].Array!;

    public BufferHandle ReadBuffer(MessageField field) => _values[field.Index].Buffer;

    private void ReadFields(ref MessagePackReader reader)
    {
        int expected = _envelope.Length + _values.Length, there = reader.ReadArrayHeader();
        if (there != expected)
        {
            throw new FrameException($"'{_schema.Tag}' has {there} fields; expected {expected}");
        }

        for (int field = 0; field < _envelope.Length; field++)
        {
            _envelope[field] = PackedFields.Envelope[field].Kind == FieldKind.Int32 ? reader.ReadInt32() : reader.ReadInt64();
        }

        for (int field = 0; field < _values.Length; field++)
        {
            Read(ref reader, _schema.Fields[field], ref _values[field]);
        }

        if (!reader.End)
        {
            throw new FrameException($"something follows the fields of '{_schema.Tag}'");
        }
    }

    private static void Read(ref MessagePackReader reader, MessageField field, ref Value value)
    {
        switch (field.Kind)
        {
            case FieldKind.Int32:
                value.Integer = reader.ReadInt32();
                break;
            case FieldKind.Int64:
                value.Integer = reader.ReadInt64();
                break;
            case FieldKind.Float64:
                value.Integer = BitConverter.DoubleToInt64Bits(reader.ReadDouble());
                break;
            case FieldKind.Boolean:
                value.Integer = reader.ReadBoolean() ? 1 : 0;
                break;
            case FieldKind.Enumeration:
                string name = reader.ReadString() ?? "";
                value.Integer = field.TryValueOf(Encoding.UTF8.GetBytes(name), out int known)
                    ? known
                    : throw new FrameException($"the field '{field.Name}' has no value of that name");
                break;
            case FieldKind.Int32Array:
                // The reader refuses a count that the bytes left cannot hold, so nothing is allocated for a lie.
                value.Array = new int[reader.ReadArrayHeader()];
                for (int i = 0; i < value.Array.Length; i++)
                {
                    value.Array[i] = reader.ReadInt32();
                }

                break;
            default:
                ReadPlace(ref reader, ref value);
                break;
        }
    }

    private static void ReadPlace(ref MessagePackReader reader, ref Value value)
    {
        value.Integer = -1;
        if (reader.TryReadNil())
        {
            return;
        }

        value.Length = (int)(reader.ReadBytes()?.Length ?? 0);
        value.Integer = reader.Consumed - value.Length;
    }

    /// <summary>A field's value. Integer also holds a double's bits, a truth value, an enumeration's value, or a buffer's offset (−1 for
    /// none).</summary>
    private struct Value
    {
        public long Integer;
        public int Length;
        public int[]? Array;
        public BufferHandle Buffer;
    }
}
