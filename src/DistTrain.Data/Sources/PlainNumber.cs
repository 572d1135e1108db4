using System.Globalization;

namespace DistTrain.Data.Sources;

/// <summary>
/// Reads numbers such as -12.5e-3 off bytes, to the bits that <see cref="double.Parse(string)"/> gives. At most 2⁵³ as digits and a power of ten up to 10²² are both
/// doubles, so that one rounding, of their product or quotient, is right (Clinger, 1990); others are parsed by the platform.
/// </summary>
internal static class PlainNumber
{
    private const ulong ExactMax = 1UL << 53;
    private const int DigitsMax = 19;

    private static readonly double[] s_powers =
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];

    /// <summary>Reads a number with spaces around it, up to a comma or the end; false when there is anything else, or when it is not finite.</summary>
    /// <param name="line">The text.</param>
    /// <param name="at">Where it starts; afterwards where the comma is, or the end.</param>
    /// <param name="value">The number.</param>
    public static bool TryRead(ReadOnlySpan<byte> line, ref int at, out double value)
    {
        int next = SkipSpaces(line, at), start = next;
        bool isNegative = next < line.Length && line[next] == '-';
        next += next < line.Length && line[next] is (byte)'-' or (byte)'+' ? 1 : 0;
        ulong mantissa = 0;
        int first = next;
        next = ReadDigits(line, next, ref mantissa);
        int digits = next - first, exponent = 0;
        if (next < line.Length && line[next] == '.')
        {
            int point = ++next;
            next = ReadDigits(line, next, ref mantissa);
            exponent = point - next;
            digits -= exponent;
        }

        value = 0;
        if (digits == 0)
        {
            return false;
        }

        bool isShort = digits <= DigitsMax;
        if (next < line.Length && (line[next] | 0x20) == 'e')
        {
            isShort &= TryReadExponent(line, ref next, ref exponent);
        }

        int end = next;
        at = SkipSpaces(line, next);
        if (at < line.Length && line[at] != ',')
        {
            return false;
        }

        if (!isShort || mantissa > ExactMax || exponent is < -22 or > 22)
        {
            return double.TryParse(line[start..end], NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
        }

        value = exponent < 0 ? mantissa / s_powers[-exponent] : mantissa * s_powers[exponent];
        value = isNegative ? -value : value;
        return true;
    }

    private static int SkipSpaces(ReadOnlySpan<byte> line, int at)
    {
        while (at < line.Length && line[at] == ' ')
        {
            at++;
        }

        return at;
    }

    /// <summary>More digits than fit wrap around; the caller counts them.</summary>
    private static int ReadDigits(ReadOnlySpan<byte> line, int at, ref ulong mantissa)
    {
        ulong value = mantissa;
        while (at < line.Length && (uint)(line[at] - '0') <= 9)
        {
            value = unchecked((value * 10) + (uint)(line[at++] - '0'));
        }

        mantissa = value;
        return at;
    }

    /// <summary>Takes what looks like an exponent; false when it is none, or is so large that the platform should look at it.</summary>
    private static bool TryReadExponent(ReadOnlySpan<byte> line, ref int at, ref int exponent)
    {
        at++;
        bool isNegative = at < line.Length && line[at] == '-';
        at += at < line.Length && line[at] is (byte)'-' or (byte)'+' ? 1 : 0;
        ulong value = 0;
        int first = at;
        at = ReadDigits(line, at, ref value);
        if (at == first || at - first > 4)
        {
            return false;
        }

        exponent += isNegative ? -(int)value : (int)value;
        return true;
    }
}
