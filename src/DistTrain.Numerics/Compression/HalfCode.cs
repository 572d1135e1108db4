using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Compression;

/// <summary>The fp16 code of <see cref="GradientCodec{T}"/>.</summary>
internal static class HalfCode
{
    private const int Block = 512;

    public static void Encode<T>(ReadOnlySpan<T> gradient, Span<byte> encoded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T largest = T.CreateChecked(Half.MaxValue);
        Span<Half> codes = MemoryMarshal.Cast<byte, Half>(encoded);
        Span<T> bounded = stackalloc T[Block];
        for (int start = 0; start < gradient.Length; start += Block)
        {
            ReadOnlySpan<T> values = gradient.Slice(start, Math.Min(Block, gradient.Length - start));
            for (int i = 0; i < values.Length; i++)
            {
                bounded[i] = T.IsFinite(values[i]) ? T.Clamp(values[i], -largest, largest) : values[i];
            }

            Convert(bounded[..values.Length], codes[start..]);
        }
    }

    public static void Decode<T>(ReadOnlySpan<byte> encoded, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ReadOnlySpan<Half> codes = MemoryMarshal.Cast<byte, Half>(encoded);
        if (typeof(T) == typeof(float))
        {
            TensorPrimitives.ConvertToSingle(codes, MemoryMarshal.Cast<T, float>(gradient));
            return;
        }

        for (int i = 0; i < gradient.Length; i++)
        {
            gradient[i] = T.CreateTruncating(codes[i]);
        }
    }

    private static void Convert<T>(ReadOnlySpan<T> values, Span<Half> codes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float))
        {
            TensorPrimitives.ConvertToHalf(MemoryMarshal.Cast<T, float>(values), codes);
            return;
        }

        for (int i = 0; i < values.Length; i++)
        {
            codes[i] = Half.CreateTruncating(values[i]);
        }
    }
}
