namespace DistTrain.Protocol.Wire;

/// <summary>Limits of what is taken from a wire, each with its reason. They are checked before anything is allocated.</summary>
public static class WireLimits
{
    /// <summary>Bytes of a whole frame: half of what one array can hold, and far more than any slice that trains at a useful
    /// speed on CPUs.</summary>
    public const int FrameBytesMax = 1 << 30;

    /// <summary>Bytes of a header: a begin-epoch names one incarnation per actor, and the largest topology has some
    /// millions.</summary>
    public const int HeaderBytesMax = 16 << 20;

    /// <summary>Bytes before the header: two lengths.</summary>
    public const int PrefixBytes = 8;

    /// <summary>Nesting of a header: the header itself, and a buffer's place in it.</summary>
    public const int HeaderDepthMax = 2;
}
