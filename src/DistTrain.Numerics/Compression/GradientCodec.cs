using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Compression;

/// <summary>
/// Encodes one tensor's gradient into a number of bytes that depends on the tensor's length only, and decodes it. Deterministic,
/// immutable, without allocation. Bytes are little-endian.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>none: the values.</item>
/// <item>fp16: binary16 values; finite values beyond ±65504 become ±65504.</item>
/// <item>int8: the scale max|g| / 127, then round-half-to-even(g / scale) a byte each.</item>
/// <item>top-k: k = max(1, ⌈ratio · length⌉) indices, ascending, then their values. Error feedback (Stich et al. 2018, Lin et
/// al. 2018): with the residual e, c = top-k of g + e by magnitude (at a tie the lower index), next residual g + e − c.</item>
/// </list>
/// A value that is not a number comes out as one, so that the receiver can still see it.
/// </remarks>
public sealed class GradientCodec<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly CompressionKind _kind;
    private readonly double _ratio;

    /// <summary>A codec.</summary>
    /// <param name="kind">Which code.</param>
    /// <param name="ratio">For top-k, the share of values that is sent, in (0, 1]; ignored by the others.</param>
    /// <exception cref="InvalidInputException">The ratio is out of range.</exception>
    public GradientCodec(CompressionKind kind, double ratio = 0.01)
    {
        if (kind == CompressionKind.TopK && !(ratio > 0 && ratio <= 1))
        {
            throw new InvalidInputException(
                $"compression: top-k's ratio is {ratio}; it must be above 0 and at most 1, for example 0.01.");
        }

        (_kind, _ratio) = (kind, ratio);
    }

    /// <summary>Whether the code needs a residual between steps, of the gradient's length and 0 at first.</summary>
    public bool HasResidual => _kind == CompressionKind.TopK;

    private static int ValueBytes => Unsafe.SizeOf<T>();

    /// <summary>Encoded bytes of a tensor of <paramref name="length"/> values.</summary>
    public int EncodedBytes(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return _kind switch
        {
            CompressionKind.Fp16 => checked(2 * length),
            CompressionKind.Int8 => checked(ValueBytes + length),
            CompressionKind.TopK => checked(Kept(length) * (sizeof(int) + ValueBytes)),
            _ => checked(length * ValueBytes),
        };
    }

    /// <summary>Encodes a gradient.</summary>
    /// <param name="gradient">The values.</param>
    /// <param name="residual">What earlier steps have not sent; empty unless <see cref="HasResidual"/>.</param>
    /// <param name="encoded">Exactly <see cref="EncodedBytes"/>.</param>
    /// <param name="nextResidual">Receives what remains unsent, and may be the residual; empty unless
    /// <see cref="HasResidual"/>.</param>
    public void Encode(ReadOnlySpan<T> gradient, ReadOnlySpan<T> residual, Span<byte> encoded, Span<T> nextResidual)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(encoded.Length, EncodedBytes(gradient.Length));
        int residualLength = HasResidual ? gradient.Length : 0;
        ArgumentOutOfRangeException.ThrowIfNotEqual(residual.Length, residualLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(nextResidual.Length, residualLength);
        switch (_kind)
        {
            case CompressionKind.Fp16:
                HalfCode.Encode(gradient, encoded);
                break;
            case CompressionKind.Int8:
                Int8Code.Encode(gradient, encoded);
                break;
            case CompressionKind.TopK:
                TopKCode.Encode(gradient, residual, Kept(gradient.Length), encoded, nextResidual);
                break;
            default:
                MemoryMarshal.AsBytes(gradient).CopyTo(encoded);
                break;
        }
    }

    /// <summary>Decodes into <paramref name="gradient"/>, overwriting all of it.</summary>
    /// <exception cref="InvalidDataException">The bytes are no encoding of a gradient of this length.</exception>
    public void Decode(ReadOnlySpan<byte> encoded, Span<T> gradient)
    {
        if (encoded.Length != EncodedBytes(gradient.Length))
        {
            throw new InvalidDataException(
                $"{encoded.Length} encoded bytes for a gradient of {gradient.Length} values, which takes " +
                $"{EncodedBytes(gradient.Length)}.");
        }

        switch (_kind)
        {
            case CompressionKind.Fp16:
                HalfCode.Decode(encoded, gradient);
                break;
            case CompressionKind.Int8:
                Int8Code.Decode(encoded, gradient);
                break;
            case CompressionKind.TopK:
                TopKCode.Decode(encoded, gradient, Kept(gradient.Length));
                break;
            default:
                encoded.CopyTo(MemoryMarshal.AsBytes(gradient));
                break;
        }
    }

    private int Kept(int length) => Math.Min(length, Math.Max(1, (int)Math.Ceiling(_ratio * length)));
}
