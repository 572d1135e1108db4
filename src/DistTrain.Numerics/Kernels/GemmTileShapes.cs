namespace DistTrain.Numerics.Kernels;

/// <summary>How many elements of c one tile holds in registers; constants to the JIT, which drops what a shape does not
/// use.</summary>
internal interface ITileShape
{
    /// <summary>Rows: 8 or 6.</summary>
    static abstract int Rows { get; }

    /// <summary>Vectors side by side: 2 or 1.</summary>
    static abstract int Vectors { get; }
}

/// <summary>8 rows of two vectors, for the 32 registers of AVX-512.</summary>
internal readonly struct Tile8By2 : ITileShape
{
    public static int Rows => 8;

    public static int Vectors => 2;
}

/// <summary>8 rows of one vector, for products too narrow for two.</summary>
internal readonly struct Tile8By1 : ITileShape
{
    public static int Rows => 8;

    public static int Vectors => 1;
}

/// <summary>6 rows of two vectors, for 16 registers.</summary>
internal readonly struct Tile6By2 : ITileShape
{
    public static int Rows => 6;

    public static int Vectors => 2;
}

/// <summary>Whether the left operand is read from packed panels; a constant to the JIT.</summary>
internal interface ILeftOperand
{
    /// <summary>True for panels; false for rows in place.</summary>
    static abstract bool Packed { get; }
}

/// <summary>The left operand lies in packed panels.</summary>
internal readonly struct PackedLeft : ILeftOperand
{
    public static bool Packed => true;
}

/// <summary>The left operand is read where it is, row by row.</summary>
internal readonly struct LeftInPlace : ILeftOperand
{
    public static bool Packed => false;
}
