using System.Buffers;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;
using MessagePack;

namespace DistTrain.Akka.Wire;

/// <summary>Writes envelopes in MessagePack. Keeps its memory; one thread at a time.</summary>
internal sealed class EnvelopePacker(IBufferBytes source) : IFieldWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(1024);

    /// <summary>Packs an envelope.</summary>
    public PackedEnvelope Pack(Envelope envelope)
    {
        MessageSchema schema = MessageSchemas.Of(envelope.Message);
        _bytes.ResetWrittenCount();
        MessagePackWriter writer = new(_bytes);
        writer.WriteArrayHeader(PackedFields.Envelope.Count + schema.Fields.Count);
        writer.Write(envelope.Run);
        writer.Write(envelope.Epoch);
        writer.Write(envelope.From.Index);
        writer.Write(envelope.FromIncarnation);
        writer.Write(envelope.To.Index);
        writer.Write(envelope.ToIncarnation);
        writer.Write(envelope.Sequence);
        writer.Write(envelope.Acknowledges);
        writer.Flush();
        schema.Write(envelope.Message, this);
        return new PackedEnvelope(WireContract.ManifestOf(schema.Tag), _bytes.WrittenSpan.ToArray());
    }

    public void WriteInt32(MessageField field, int value) => WriteInt64(field, value);

    public void WriteInt64(MessageField field, long value)
    {
        MessagePackWriter writer = new(_bytes);
        writer.Write(value);
        writer.Flush();
    }

    public void WriteFloat64(MessageField field, double value)
    {
        MessagePackWriter writer = new(_bytes);
        writer.Write(value);
        writer.Flush();
    }

    public void WriteBoolean(MessageField field, bool value)
    {
        MessagePackWriter writer = new(_bytes);
        writer.Write(value);
        writer.Flush();
    }

    public void WriteEnumeration(MessageField field, int value)
    {
        MessagePackWriter writer = new(_bytes);
        writer.Write(field.NameOf(value));
        writer.Flush();
    }

    public void WriteInt32Array(MessageField field, int[] values)
    {
        MessagePackWriter writer = new(_bytes);
        writer.WriteArrayHeader(values.Length);
        foreach (int value in values)
        {
            writer.Write(value);
        }

        writer.Flush();
    }

    public void WriteBuffer(MessageField field, BufferHandle buffer)
    {
        MessagePackWriter writer = new(_bytes);
        if (buffer.IsNone)
        {
            writer.WriteNil();
        }
        else
        {
            writer.Write(source.BytesOf(buffer));
        }

        writer.Flush();
    }
}
