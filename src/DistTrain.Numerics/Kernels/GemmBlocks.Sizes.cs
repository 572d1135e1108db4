namespace DistTrain.Numerics.Kernels;

/// <summary>Sizes of the blocks that stay in cache.</summary>
internal static class GemmBlocks
{
    /// <summary>Rows of c in a block at most: of tiles of 4, 5, 6 and 8 rows as many as 128 rows take, the usual batch and width.</summary>
    public const int BlockM = 132;

    /// <summary>Rows of a block that goes into a sink: it is still in the second-level cache when it is taken, with what the sink needs besides.</summary>
    public const int SunkM = 32;

    /// <summary>Bytes of a page.</summary>
    public const int PageBytes = 4096;

    /// <summary>Pages of which the first level of the processor's table of addresses remembers where they are: 96 of Intel's since Golden Cove, and of Zen 5's.</summary>
    public const int RememberedPages = 96;

    /// <summary>Columns of c in a block at most.</summary>
    public const int BlockN = 1024;

    /// <summary>Columns of c in a block at least where its packed right operand is to stay in a small second-level cache, beside rows of the left one.</summary>
    public const int NarrowN = 64;

    /// <summary>Bytes of such an operand, with vectors of 256 bits and caches of 512 KB.</summary>
    public const int NarrowBytes = 128 << 10;

    /// <summary>The same with vectors of 512 bits and caches of 1 or 2 MB.</summary>
    public const int NarrowWideBytes = 512 << 10;

    /// <summary>The same where the left operand is too large to come again for so few columns.</summary>
    public const int MiddleN = 256;

    /// <summary>Bytes of a left operand that a cache of some level holds.</summary>
    public const int CachedLeftBytes = 2 << 20;

    /// <summary>Bytes of a product that a second-level cache of 1 MB or more holds while it is written.</summary>
    public const int CachedProductBytes = 1 << 20;

    /// <summary>Terms of a product so shallow that writing c takes longer than computing it.</summary>
    public const int ShallowK = 32;

    /// <summary>Bytes of a right operand that the last cache holds from one product to the next: of 24 MB and less, 32 MB of cache gave all that packing would.</summary>
    public const int CachedRightBytes = 24 << 20;
}
