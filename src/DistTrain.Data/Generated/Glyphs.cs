using System.Runtime.CompilerServices;
using DistTrain.Data.Sources;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Data.Generated;

/// <summary>
/// Digits drawn as strokes, each with its own form, hand, place, pen and noise: a data set that needs no download and that a
/// linear model does not solve. Row i shows digit i mod 10.
/// </summary>
internal static class Glyphs
{
    private const int Digits = 10, Pixels = GlyphCanvas.Side * GlyphCanvas.Side;

    /// <summary>First stream element of the noise, behind everything that the shape draws.</summary>
    private const long NoiseElements = 1000;

    /// <summary>About as many elements as a digit takes.</summary>
    private const int UsualDraws = 96;

    public static RawData Make(Func<int, RandomStream> streams, int rows, double noise, CancellationToken cancel)
    {
        byte[] values = new byte[checked(rows * Pixels)];
        GlyphCanvas canvas = new();
        ulong[] bits = new ulong[Pixels / 2];
        for (int row = 0; row < rows; row++)
        {
            if ((row & 1023) == 0)
            {
                cancel.ThrowIfCancellationRequested();
            }

            RandomStream stream = streams(row);
            Draws draws = new(stream, bits.AsSpan(0, UsualDraws));
            GlyphStroke[][] forms = GlyphShapes.Forms[row % Digits];
            canvas.Clear();
            GlyphHand hand = new(ref draws);
            foreach (GlyphStroke stroke in forms[draws.Below(forms.Length)])
            {
                hand.Draw(stroke, ref draws, canvas);
            }

            double radius = draws.Between(0.6, GlyphCanvas.MaxRadius), ink = draws.Between(0.65, 1);
            stream.UInt64s(NoiseElements, bits);
            Develop(canvas, radius, ink, noise, bits, values.AsSpan(row * Pixels, Pixels));
        }

        return new RawData("glyphs", new RawBytes(values, rows, Pixels, byte.MaxValue))
        {
            Labels = Planar.CyclicLabels(rows, Digits),
            ClassNames = Planar.NumberNames(Digits),
        };
    }

    /// <summary>
    /// Turns distances into grey values: pen radius and ink, then noise, which is four random bytes summed per pixel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Develop(GlyphCanvas canvas, double radius, double ink, double noise, ReadOnlySpan<ulong> bits, Span<byte> image)
    {
        // The deviation of a sum of four bytes is √(4·(256² − 1)/12).
        double perUnit = noise / Math.Sqrt(65535 / 3.0);
        Span<double> coverage = stackalloc double[GlyphCanvas.Side];
        for (int row = 0; row < GlyphCanvas.Side; row++)
        {
            canvas.Coverage(row, radius, coverage);
            int first = row * GlyphCanvas.Side;
            for (int column = 0; column < coverage.Length; column++)
            {
                ulong four = bits[(first + column) >> 1] >> ((column & 1) * 32);
                int sum = (int)(four & 255) + (int)((four >> 8) & 255) + (int)((four >> 16) & 255) + (int)((four >> 24) & 255);
                double grey = (ink * coverage[column]) + ((sum - 510) * perUnit);
                image[first + column] = (byte)((255 * Math.Clamp(grey, 0, 1)) + 0.5);
            }
        }
    }
}

/// <summary>The elements of a stream, one after the other.</summary>
internal ref struct Draws
{
    private readonly RandomStream _stream;
    private readonly ReadOnlySpan<ulong> _first;
    private int _next;

    /// <summary>A stream's elements from its first on.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="first">Room for elements that are made together, which takes a fraction of the time; any number of others may follow.</param>
    public Draws(RandomStream stream, Span<ulong> first)
    {
        stream.UInt64s(0, first);
        _stream = stream;
        _first = first;
    }

    public double Between(double low, double high) => low + ((high - low) * RandomStream.Uniform(Next()));

    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    private ulong Next()
    {
        int index = _next++;
        return index < _first.Length ? _first[index] : _stream.UInt64(index);
    }
}
