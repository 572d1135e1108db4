namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// Powers and cosines made of IEEE additions and multiplications only. The platform's mathematical library may round them
/// differently from one operating system to the next, and a learning rate must not.
/// </summary>
internal static class ExactMath
{
    /// <summary>x to a whole power of at least 0, by squaring.</summary>
    public static double Power(double x, long exponent)
    {
        double result = 1;
        for (; exponent > 0; exponent >>= 1, x *= x)
        {
            if ((exponent & 1) != 0)
            {
                result *= x;
            }
        }

        return result;
    }

    /// <summary>cos(π f) for f in [0, 1], to 2e-16: the Taylor series of the sine around f = ½.</summary>
    public static double CosineOfHalfTurns(double f)
    {
        double x = Math.PI * (0.5 - f), square = x * x, term = x, sum = 0;
        Span<double> terms = stackalloc double[13];
        for (int i = 0; i < terms.Length; i++)
        {
            terms[i] = term;
            term *= -square / ((2 * i + 2) * (2 * i + 3));
        }

        for (int i = terms.Length - 1; i >= 0; i--)
        {
            sum += terms[i];
        }

        return sum;
    }
}
