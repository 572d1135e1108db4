using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Kernels;

/// <summary>One thread's room for packed blocks of both operands and a block of the product, kept until the thread ends.</summary>
internal sealed unsafe class PackingBuffers
{
    // Room for the blocks in double, and for the few elements that a transposition may write past the last panel.
    private const nuint LeftBytes = ((GemmBlocks.BlockM + 8) * GemmReference.BlockK * sizeof(double)) + 256;
    private const nuint RightBytes = ((GemmBlocks.BlockN + 32) * GemmReference.BlockK * sizeof(double)) + 256;

    private const nuint ProductBytes = GemmBlocks.SunkM * GemmBlocks.BlockN * sizeof(double);

    [ThreadStatic]
    private static PackingBuffers? t_current;

    private PackingBuffers()
    {
        Left = NativeMemory.AlignedAlloc(LeftBytes, 64);
        Right = NativeMemory.AlignedAlloc(RightBytes, 64);
        Product = NativeMemory.AlignedAlloc(ProductBytes, 64);
    }

    ~PackingBuffers()
    {
        NativeMemory.AlignedFree(Left);
        NativeMemory.AlignedFree(Right);
        NativeMemory.AlignedFree(Product);
    }

    /// <summary>The calling thread's buffers; the system commits their pages as they are first written.</summary>
    public static PackingBuffers Current => t_current ??= new PackingBuffers();

    /// <summary>Panels of the left operand.</summary>
    public void* Left { get; }

    /// <summary>Panels of the right operand.</summary>
    public void* Right { get; }

    /// <summary>A block of a product that goes into a sink.</summary>
    public void* Product { get; }
}
