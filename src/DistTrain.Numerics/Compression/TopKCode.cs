using System.Buffers.Binary;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Compression;

/// <summary>
/// The top-k code of <see cref="GradientCodec{T}"/>. The k-th largest magnitude is found digit by digit from histograms of the
/// values' bits, whose order without the sign is the order of magnitudes: always linear time, and no copy of the values.
/// Not-a-number has the largest bits, so it is sent and seen.
/// </summary>
internal static class TopKCode
{
    private const int DigitBits = 11;

    public static void Encode<T>(ReadOnlySpan<T> gradient, ReadOnlySpan<T> residual, int kept, Span<byte> encoded, Span<T> next)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TensorPrimitives.Add(gradient, residual, next);
        (ulong threshold, int atThreshold) = Threshold<T>(next, kept);
        int count = 0;
        for (int i = 0; i < next.Length && count < kept; i++)
        {
            ulong magnitude = Magnitude(next[i]);
            if (magnitude < threshold || (magnitude == threshold && atThreshold-- <= 0))
            {
                continue;
            }

            BinaryPrimitives.WriteInt32LittleEndian(encoded[(count * sizeof(int))..], i);
            MemoryMarshal.Write(encoded[((kept * sizeof(int)) + (count * Unsafe.SizeOf<T>()))..], in next[i]);
            next[i] = T.Zero;
            count++;
        }
    }

    public static void Decode<T>(ReadOnlySpan<byte> encoded, Span<T> gradient, int kept)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        gradient.Clear();
        for (int j = 0; j < kept; j++)
        {
            int index = BinaryPrimitives.ReadInt32LittleEndian(encoded[(j * sizeof(int))..]);
            if ((uint)index >= (uint)gradient.Length)
            {
                throw new InvalidDataException($"Index {index} of a top-k gradient is outside its {gradient.Length} values.");
            }

            gradient[index] = MemoryMarshal.Read<T>(encoded[((kept * sizeof(int)) + (j * Unsafe.SizeOf<T>()))..]);
        }
    }

    // The bits of the k-th largest magnitude, and how many of the values that have exactly those bits are among the k.
    private static (ulong Threshold, int AtThreshold) Threshold<T>(ReadOnlySpan<T> values, int kept)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<int> histogram = stackalloc int[1 << DigitBits];
        ulong prefix = 0;
        int wanted = kept, shift = 8 * Unsafe.SizeOf<T>();
        while (shift > 0)
        {
            int higher = shift;
            shift = Math.Max(0, shift - DigitBits);
            ulong mask = (1UL << (higher - shift)) - 1;
            histogram.Clear();
            foreach (T value in values)
            {
                ulong magnitude = Magnitude(value);
                if (higher >= 64 || magnitude >> higher == prefix >> higher)
                {
                    histogram[(int)((magnitude >> shift) & mask)]++;
                }
            }

            int digit = (int)mask;
            while (digit > 0 && histogram[digit] < wanted)
            {
                wanted -= histogram[digit--];
            }

            prefix |= (ulong)digit << shift;
        }

        return (prefix, wanted);
    }

    private static ulong Magnitude<T>(T value)
        where T : unmanaged
        => Unsafe.SizeOf<T>() == sizeof(float)
            ? Unsafe.BitCast<T, uint>(value) & (uint.MaxValue >> 1)
            : Unsafe.BitCast<T, ulong>(value) & (ulong.MaxValue >> 1);
}
