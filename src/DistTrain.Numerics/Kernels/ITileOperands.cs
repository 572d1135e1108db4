namespace DistTrain.Numerics.Kernels;

/// <summary>How a tile reads its operands; constants to the JIT.</summary>
internal interface ITileOperands
{
    /// <summary>Whether the left one lies in panels, which hold all rows of one k side by side, and not row by row.</summary>
    static abstract bool LeftPacked { get; }

    /// <summary>Whether all rows of a tile exist, one stride from each other, where the left operand is read row by row.</summary>
    static virtual bool AllRows => false;

    /// <summary>So many k before it is needed, a row of the right operand is asked for; 0 where it is near.</summary>
    static abstract int RightAhead { get; }
}

/// <summary>The left operand lies in panels: packed ones, or its own few columns where it is transposed.</summary>
internal readonly struct LeftInPanels : ITileOperands
{
    public static bool LeftPacked => true;

    public static int RightAhead => 0;
}

/// <summary>The left operand is read where it is, row by row.</summary>
internal readonly struct LeftInPlace : ITileOperands
{
    public static bool LeftPacked => false;

    public static int RightAhead => 0;
}

/// <summary>
/// The right operand is read where it is, too, and each of its rows lies on pages of its own, from one to the next of which no processor fetches ahead by itself. In 32 k, 512 cycles
/// with vectors of 512 bits that take two, the third-level cache has answered.
/// </summary>
internal readonly struct RightOnManyPages : ITileOperands
{
    public static bool LeftPacked => false;

    public static int RightAhead => 32;
}

/// <summary>Operands of a tile that is as high as its kind: three pointers reach all rows of a left one that is read in place, so that they stay in registers.</summary>
internal readonly struct OfAllRows<TOperands> : ITileOperands
    where TOperands : ITileOperands
{
    public static bool LeftPacked => TOperands.LeftPacked;

    public static bool AllRows => !TOperands.LeftPacked;

    public static int RightAhead => TOperands.RightAhead;
}
