using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Compression;

/// <summary>The int8 code of <see cref="GradientCodec{T}"/>.</summary>
internal static class Int8Code
{
    private const int Largest = 127;

    public static void Encode<T>(ReadOnlySpan<T> gradient, Span<byte> encoded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T largest = T.Zero, bound = T.CreateChecked(Largest);
        foreach (T value in gradient)
        {
            largest = T.Max(largest, T.Abs(value));
        }

        // A scale that is infinite or not a number decodes to not-a-number everywhere, on purpose.
        T scale = largest / bound;
        MemoryMarshal.Write(encoded, in scale);
        Span<byte> codes = encoded[Unsafe.SizeOf<T>()..];
        for (int i = 0; i < gradient.Length; i++)
        {
            T code = T.Zero;
            if (T.IsFinite(scale) && scale > T.Zero)
            {
                // A subnormal scale is rounded coarsely and may leave a quotient beyond the largest code.
                code = T.Clamp(T.Round(gradient[i] / scale, MidpointRounding.ToEven), -bound, bound);
            }

            codes[i] = unchecked((byte)sbyte.CreateTruncating(code));
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
