namespace DistTrain.Protocol.Wire;

/// <summary>What a message's field may hold; a wire format has one form for each.</summary>
public enum FieldKind
{
    /// <summary>32-bit integer.</summary>
    Int32,

    /// <summary>64-bit integer.</summary>
    Int64,

    /// <summary>IEEE binary64, kept bit by bit.</summary>
    Float64,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>One of named values.</summary>
    Enumeration,

    /// <summary>32-bit integers.</summary>
    Int32Array,

    /// <summary>A buffer or none.</summary>
    Buffer,
}
