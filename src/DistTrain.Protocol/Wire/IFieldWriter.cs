using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Wire;

/// <summary>A wire format's writing side: takes a message's fields one by one, in the order of declaration.</summary>
public interface IFieldWriter
{
    /// <summary>A 32-bit integer.</summary>
    void WriteInt32(MessageField field, int value);

    /// <summary>A 64-bit integer.</summary>
    void WriteInt64(MessageField field, long value);

    /// <summary>A number, bit by bit.</summary>
    void WriteFloat64(MessageField field, double value);

    /// <summary>True or false.</summary>
    void WriteBoolean(MessageField field, bool value);

    /// <summary>A named value.</summary>
    void WriteEnumeration(MessageField field, int value);

    /// <summary>Integers.</summary>
    void WriteInt32Array(MessageField field, int[] values);

    /// <summary>A buffer or none.</summary>
    void WriteBuffer(MessageField field, BufferHandle buffer);
}
