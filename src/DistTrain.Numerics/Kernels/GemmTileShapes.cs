namespace DistTrain.Numerics.Kernels;

/// <summary>How many elements of c one tile holds in registers; constants to the JIT, which drops what a shape does not
/// use.</summary>
internal interface ITileShape
{
    /// <summary>Rows: 1 to 10.</summary>
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

/// <summary>6 rows of two vectors, for 16 registers, and for products that 6 divide better.</summary>
internal readonly struct Tile6By2 : ITileShape
{
    public static int Rows => 6;

    public static int Vectors => 2;
}

/// <summary>10 rows of two vectors, for the ten classes of many a last layer: a shallow tile that is twice as high is over with less besides.</summary>
internal readonly struct Tile10By2 : ITileShape
{
    public static int Rows => 10;

    public static int Vectors => 2;
}

/// <summary>5 rows of two vectors, for products of few rows that 5 divide better.</summary>
internal readonly struct Tile5By2 : ITileShape
{
    public static int Rows => 5;

    public static int Vectors => 2;
}

/// <summary>4 rows of two vectors, for products of no more rows.</summary>
internal readonly struct Tile4By2 : ITileShape
{
    public static int Rows => 4;

    public static int Vectors => 2;
}

/// <summary>8 rows of one vector, for products too narrow for two.</summary>
internal readonly struct Tile8By1 : ITileShape
{
    public static int Rows => 8;

    public static int Vectors => 1;
}
