using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Compression;

/// <summary>The int8 code of <see cref="GradientCodec{T}"/>.</summary>
internal static class Int8Code
{
    private const int Largest = 127, Block = 512;

    public static void Encode<T>(ReadOnlySpan<T> gradient, Span<byte> encoded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T bound = T.CreateChecked(Largest);
        T scale = gradient.IsEmpty ? T.Zero : T.Abs(TensorPrimitives.MaxMagnitude(gradient)) / bound;
        MemoryMarshal.Write(encoded, in scale);
        Span<byte> codes = encoded[Unsafe.SizeOf<T>()..];
        if (!(T.IsFinite(scale) && scale > T.Zero))
        {
            // All zero; or a scale that is infinite or not a number, which decodes to not-a-number everywhere, on purpose.
            codes.Clear();
            return;
        }

        Span<T> quotients = stackalloc T[Block];
        for (int start = 0; start < gradient.Length; start += Block)
        {
            Span<T> block = quotients[..Math.Min(Block, gradient.Length - start)];
            TensorPrimitives.Divide(gradient.Slice(start, block.Length), scale, block);
            TensorPrimitives.Round(block, block);
            for (int i = 0; i < block.Length; i++)
            {
                // A subnormal scale is rounded coarsely and may leave a quotient beyond the largest code.
                codes[start + i] = unchecked((byte)sbyte.CreateTruncating(T.Clamp(block[i], -bound, bound)));
            }
        }
    }

    public static void Decode<T>(ReadOnlySpan<byte> encoded, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T scale = MemoryMarshal.Read<T>(encoded);
        ReadOnlySpan<byte> codes = encoded[Unsafe.SizeOf<T>()..];
        for (int i = 0; i < gradient.Length; i++)
        {
            gradient[i] = T.CreateTruncating(unchecked((sbyte)codes[i])) * scale;
        }
    }
}
