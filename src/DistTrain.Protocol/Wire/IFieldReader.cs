using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Wire;

/// <summary>A wire format's reading side: gives a message's fields one by one, in the order of declaration, all checked
/// before.</summary>
public interface IFieldReader
{
    /// <summary>A 32-bit integer.</summary>
    int ReadInt32(MessageField field);

    /// <summary>A 64-bit integer.</summary>
    long ReadInt64(MessageField field);

    /// <summary>A number, bit by bit.</summary>
    double ReadFloat64(MessageField field);

    /// <summary>True or false.</summary>
    bool ReadBoolean(MessageField field);

    /// <summary>A named value.</summary>
    int ReadEnumeration(MessageField field);

    /// <summary>Integers.</summary>
    int[] ReadInt32Array(MessageField field);

    /// <summary>A buffer or none.</summary>
    BufferHandle ReadBuffer(MessageField field);
}
