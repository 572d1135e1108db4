namespace DistTrain.Data;

/// <summary>Data sets that the program makes itself. The values are part of the random keys: never renumber.</summary>
public enum GeneratedKind
{
    /// <summary>The four rows of exclusive or, two inputs, two classes; the test rows are the same.</summary>
    Xor = 0,

    /// <summary>Interleaved spiral arms in the plane, one class each.</summary>
    Spirals = 1,

    /// <summary>Normal clusters whose centres stand on a circle in the first two columns, one class each.</summary>
    Blobs = 2,

    /// <summary>Drawn digits, 28×28 grey values from 0 (paper) to 1, ten classes.</summary>
    Glyphs = 3,
}
