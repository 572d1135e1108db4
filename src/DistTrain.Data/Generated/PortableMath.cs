using DistTrain.Numerics.Randomness;

namespace DistTrain.Data.Generated;

/// <summary>
/// Functions made of + − × ÷ and floor alone, which IEEE 754 fixes to the bit: generated data is the same on every machine, which
/// the platform's sine is not.
/// </summary>
internal static class PortableMath
{
    /// <summary>
    /// Sine and cosine of an angle in turns (1 is a full circle), to about 1e-15: Taylor's series within an eighth of a turn.
    /// </summary>
    public static (double Sine, double Cosine) SineCosine(double turns)
    {
        double quarters = Math.Floor((turns * 4) + 0.5);
        double x = ((turns * 4) - quarters) * (Math.PI / 2), square = x * x;
        double sine = 0, cosine = 0;
        for (int n = 17; n >= 1; n -= 2)
        {
            sine = 1 - (square / ((n + 1) * (n + 2)) * sine);
            cosine = 1 - (square / (n * (n + 1)) * cosine);
        }

        sine *= x;
        return ((long)quarters & 3) switch
        {
            0 => (sine, cosine),
            1 => (cosine, -sine),
            2 => (-sine, -cosine),
            _ => (-cosine, sine),
        };
    }

    /// <summary>
    /// Draw <paramref name="index"/> of a bell curve with mean 0 and deviation 1: the sum of twelve uniform numbers less 6, which
    /// never leaves [−6, 6). It takes elements 12·index … 12·index + 11 of the stream.
    /// </summary>
    public static double Bell(RandomStream stream, long index)
    {
        double sum = -6;
        for (int i = 0; i < 12; i++)
        {
            sum += stream.Uniform((12 * index) + i);
        }

        return sum;
    }
}
