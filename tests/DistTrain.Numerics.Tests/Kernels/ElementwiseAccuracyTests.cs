using DistTrain.Numerics.Kernels;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

/// <summary>Errors in units in the last place, against values computed with 60 digits (mpmath) and against System.Math.</summary>
public sealed class ElementwiseAccuracyTests
{
    private delegate void Kernel<T>(ReadOnlySpan<T> x, Span<T> y);

    [Fact]
    public void ExpAgreesWithManyDigits() => Agrees(
        Elementwise.Exp,
        1.5,
        [
            (-745.1, 5e-324), (-708.5, 2.006132305331306e-308), (-100.25, 2.897198083210148e-44),
            (-20.0, 2.061153622438558e-09), (-1.0, 0.36787944117144233), (-0.3465, 0.7071588192872713),
            (-1e-05, 0.9999900000499998), (1e-10, 1.0000000001), (0.1, 1.1051709180756477), (0.34657, 1.4142084849595797),
            (0.5, 1.6487212707001282), (1.0, 2.718281828459045), (2.5, 12.182493960703473), (10.1, 24343.00942440838),
            (88.7, 3.325986980250579e+38), (300.3, 2.6220013776845454e+130), (709.7, 1.6549840276802644e+308),
        ]);

    [Fact]
    public void Expm1AgreesWithManyDigits() => Agrees(
        Elementwise.Expm1,
        2.5,
        [
            (-50.0, -1.0), (-10.5, -0.9999724635506503), (-1.0, -0.6321205588285577), (-0.7, -0.5034146962085905),
            (-0.4, -0.32967995396436073), (-0.35, -0.29531191028128656), (-0.1, -0.09516258196404043),
            (-1e-05, -9.999950000166666e-06), (-1e-17, -1e-17), (1e-300, 1e-300), (1e-09, 1.0000000005000001e-09),
            (0.01, 0.010050167084168058), (0.3, 0.3498588075760031), (0.35, 0.41906754859325723), (0.5, 0.6487212707001282),
            (1.0, 1.7182818284590453), (5.5, 243.69193226422038), (100.1, 2.9708288895158073e+43),
            (709.7, 1.6549840276802644e+308),
        ]);

    [Fact]
    public void LogAgreesWithManyDigits() => Agrees(
        Elementwise.Log,
        1.5,
        [
            (5e-324, -744.4400719213812), (1e-310, -713.8013788281542), (2.3e-308, -708.363299519231),
            (1e-100, -230.25850929940458), (0.01, -4.605170185988091), (0.5, -0.6931471805599453),
            (0.7071, -0.346583180371942), (0.70711, -0.3465690382006941), (0.9, -0.10536051565782628),
            (0.999999, -1.000000500029089e-06), (0.9999999999999999, -1.1102230246251565e-16),
            (1.0000000000000002, 2.2204460492503128e-16), (1.0001, 9.999500033329732e-05), (1.2, 0.1823215567939546),
            (1.41421, 0.34657107129862735), (1.41422, 0.34657814235925116), (2.0, 0.6931471805599453),
            (10.0, 2.302585092994046), (12345.678, 9.421061321291832), (1.7e+308, 709.7268368932282),
        ]);

    [Fact]
    public void TanhAgreesWithManyDigits() => Agrees(
        Elementwise.Tanh,
        3.5,
        [
            (1e-310, 1e-310), (1e-20, 1e-20), (1e-08, 1e-08), (0.001, 0.0009999996666668), (0.1, 0.09966799462495582),
            (0.17, 0.16838104587081473), (0.2, 0.197375320224904), (0.35, 0.3363755443363322), (0.5, 0.46211715726000974),
            (0.52, 0.477700012168498), (0.7, 0.6043677771171635), (1.0, 0.7615941559557649), (1.5, 0.9051482536448664),
            (2.0, 0.9640275800758169), (5.0, 0.9999092042625951), (10.0, 0.9999999958776927), (18.9, 0.9999999999999999),
            (19.1, 1.0), (-0.3, -0.2913126124515909), (-3.0, -0.9950547536867305),
        ]);

    [Fact]
    public void SigmoidAgreesWithManyDigits() => Agrees(
        Elementwise.Sigmoid,
        3.5,
        [
            (-745.0, 5e-324), (-709.0, 1.216780750623423e-308), (-50.5, 1.1698459177061964e-22),
            (-10.0, 4.5397868702434395e-05), (-2.0, 0.11920292202211756), (-0.5, 0.37754066879814546),
            (-1e-05, 0.49999750000000004), (1e-05, 0.5000025), (0.3, 0.574442516811659), (0.69, 0.6659669267518202),
            (1.0, 0.7310585786300049), (3.0, 0.9525741268224333), (20.0, 0.9999999979388464), (36.5, 0.9999999999999999),
            (40.0, 1.0),
        ]);

    [Fact]
    public void SoftplusAgreesWithManyDigits() => Agrees(
        Elementwise.Softplus,
        2.5,
        [
            (-745.0, 5e-324), (-100.0, 3.720075976020836e-44), (-40.0, 4.248354255291589e-18),
            (-10.0, 4.539889921686465e-05), (-2.0, 0.1269280110429725), (-0.9, 0.3411538747320878),
            (-0.88, 0.3469761000189524), (-0.5, 0.4740769841801067), (-0.1, 0.6443966600735709), (1e-09, 0.6931471810599453),
            (0.1, 0.7443966600735709), (0.5, 0.9740769841801067), (0.88, 1.2269761000189525), (0.9, 1.2411538747320878),
            (2.0, 2.1269280110429727), (10.0, 10.000045398899218), (36.0, 36.0), (700.0, 700.0),
        ]);

    [Fact]
    public void EveryFloatSizeIsAccurate()
    {
        Sweep(Elementwise.Exp, Math.Exp, 1.0);
        Sweep(Elementwise.Expm1, ReferenceExpm1, 2.0);
        Sweep(Elementwise.Log, Math.Log, 1.0);
        Sweep(Elementwise.Tanh, Math.Tanh, 3.0);
        Sweep(Elementwise.Sigmoid, ReferenceSigmoid, 3.0);
        Sweep(Elementwise.Softplus, ReferenceSoftplus, 2.0);
    }

    [Fact]
    public void DoublesAgreeWithSystemMath()
    {
        SweepDouble(Elementwise.Exp, Math.Exp, 2.0, 700);
        SweepDouble(Elementwise.Log, Math.Log, 2.0, 1e6);
        SweepDouble(Elementwise.Tanh, Math.Tanh, 4.0, 25);
    }

    [Fact]
    public void SpecialValuesAreThoseOfIeee754()
    {
        const double inf = double.PositiveInfinity, nan = double.NaN;
        Special(Elementwise.Exp, Elementwise.Exp, (inf, inf), (-inf, 0), (nan, nan), (0, 1), (-0.0, 1), (1e4, inf), (-1e4, 0));
        Special(Elementwise.Expm1, Elementwise.Expm1, (inf, inf), (-inf, -1), (nan, nan), (0, 0), (-0.0, -0.0), (1e4, inf), (-1e4, -1));
        Special(Elementwise.Log, Elementwise.Log, (inf, inf), (-inf, nan), (nan, nan), (0, -inf), (-0.0, -inf), (1, 0), (-1, nan));
        Special(Elementwise.Tanh, Elementwise.Tanh, (inf, 1), (-inf, -1), (nan, nan), (0, 0), (-0.0, -0.0), (1e4, 1), (-1e4, -1));
        Special(Elementwise.Sigmoid, Elementwise.Sigmoid, (inf, 1), (-inf, 0), (nan, nan), (0, 0.5), (-0.0, 0.5), (1e4, 1), (-1e4, 0));
        Special(Elementwise.Softplus, Elementwise.Softplus, (inf, inf), (-inf, 0), (nan, nan), (1e4, 1e4), (-1e4, 0));
    }

    [Fact]
    public void SubnormalNumbersPassThrough()
    {
        float[] x = [float.Epsilon, -float.Epsilon, 3 * float.Epsilon, 1e-40f], y = new float[4];
        Elementwise.Tanh<float>(x, y);
        y.ShouldBe(x);
        Elementwise.Expm1<float>(x, y);
        y.ShouldBe(x);
        Elementwise.Log<float>([float.Epsilon], y);
        y[0].ShouldBe(-103.27893f);
        Elementwise.Exp<float>([-103.9f, -104.1f, 88.72283f, 88.73f], y);
        y.ShouldBe([float.Epsilon, 0f, 3.4027985e38f, float.PositiveInfinity]);
    }

    private static void Agrees(Kernel<double> kernel, double ulps, (double X, double Y)[] table)
    {
        double[] y = new double[table.Length];
        kernel([.. table.Select(entry => entry.X)], y);
        for (int i = 0; i < y.Length; i++)
        {
            Bits.Ulps(y[i], table[i].Y).ShouldBeLessThanOrEqualTo(ulps, $"x = {table[i].X}, {y[i]} instead of {table[i].Y}");
        }
    }

    private static void Sweep(Kernel<float> kernel, Func<double, double> exact, double ulps)
    {
        // Every 30011th bit pattern reaches all exponents and both signs.
        float[] x = [.. Enumerable.Range(0, (int)(uint.MaxValue / 30011)).Select(i => BitConverter.UInt32BitsToSingle((uint)i * 30011))];
        float[] y = new float[x.Length];
        kernel(x, y);
        double worst = 0, at = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double reference = exact(x[i]);
            if (double.IsNaN(reference) || float.IsInfinity((float)reference))
            {
                y[i].ShouldBe((float)reference);
                continue;
            }

            double error = Bits.Ulps(y[i], reference);
            (worst, at) = error > worst || double.IsNaN(error) ? (error, x[i]) : (worst, at);
        }

        worst.ShouldBeLessThanOrEqualTo(ulps, $"at x = {at:R}");
        worst.ShouldBeGreaterThan(0.4);
    }

    private static void SweepDouble(Kernel<double> kernel, Func<double, double> exact, double ulps, double size)
    {
        double[] x = [.. Enumerable.Range(1, 40_000).Select(i => size * Math.Pow(i / 40_000.0, 3) * (i % 2 == 0 ? 1 : -1))];
        double[] y = new double[x.Length];
        kernel(x, y);
        for (int i = 0; i < x.Length; i++)
        {
            double reference = exact(x[i]);
            if (!double.IsNaN(reference))
            {
                Bits.Ulps(y[i], reference).ShouldBeLessThanOrEqualTo(ulps, $"x = {x[i]:R}");
            }
        }
    }

    private static void Special(Kernel<float> single, Kernel<double> twice, params (double X, double Y)[] table)
    {
        float[] singles = new float[table.Length];
        double[] doubles = new double[table.Length];
        single([.. table.Select(entry => (float)entry.X)], singles);
        twice([.. table.Select(entry => entry.X)], doubles);
        for (int i = 0; i < table.Length; i++)
        {
            // A NaN has many bit patterns, a zero's sign counts.
            (double.IsNaN(table[i].Y) ? double.IsNaN(doubles[i]) : Bits.Of(doubles[i]) == Bits.Of(table[i].Y)).ShouldBeTrue($"{table[i]}: {doubles[i]}");
            (double.IsNaN(table[i].Y) ? float.IsNaN(singles[i]) : Bits.Of(singles[i]) == Bits.Of((float)table[i].Y)).ShouldBeTrue($"{table[i]}: {singles[i]}");
        }
    }

    private static double ReferenceExpm1(double x) =>
        Math.Abs(x) < 700 ? 2.0 * Math.Sinh(x / 2) * Math.Exp(x / 2) : Math.Exp(x) - 1.0;

    private static double ReferenceSigmoid(double x) => x < 0 ? Math.Exp(x) / (1.0 + Math.Exp(x)) : 1.0 / (1.0 + Math.Exp(-x));

    private static double ReferenceSoftplus(double x)
    {
        double t = Math.Exp(-Math.Abs(x)), u = 1.0 + t;
        double log = u == 1.0 ? t : Math.Log(u) * (t / (u - 1.0));
        return Math.Max(x, 0.0) + log;
    }
}
