using System.Buffers.Binary;
using System.Numerics;

namespace DistTrain.Numerics.Compression;

/// <summary>The fp16 code of <see cref="GradientCodec{T}"/>.</summary>
internal static class HalfCode
{
    public static void Encode<T>(ReadOnlySpan<T> gradient, Span<byte> encoded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T largest = T.CreateChecked(Half.MaxValue);
        for (int i = 0; i < gradient.Length; i++)
        {
            T value = gradient[i];
            if (T.IsFinite(value))
            {
                value = T.Clamp(value, -largest, largest);
            }

            BinaryPrimitives.WriteHalfLittleEndian(encoded[(2 * i)..], Half.CreateTruncating(value));
        }
    }

    public static void Decode<T>(ReadOnlySpan<byte> encoded, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < gradient.Length; i++)
        {
            gradient[i] = T.CreateTruncating(BinaryPrimitives.ReadHalfLittleEndian(encoded[(2 * i)..]));
        }
    }
}
