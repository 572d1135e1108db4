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

    public static RawData Make(Func<int, RandomStream> streams, int rows, double noise, CancellationToken cancel)
    {
        byte[] values = new byte[checked(rows * Pixels)];
        GlyphCanvas canvas = new();
        for (int row = 0; row < rows; row++)
        {
            if ((row & 1023) == 0)
            {
                cancel.ThrowIfCancellationRequested();
            }

            RandomStream stream = streams(row);
            Draws draws = new(stream);
            GlyphStroke[][] forms = GlyphShapes.Forms[row % Digits];
            canvas.Clear();
            GlyphHand hand = new(ref draws);
            foreach (GlyphStroke stroke in forms[draws.Below(forms.Length)])
            {
                hand.Draw(stroke, ref draws, canvas);
            }

            Develop(canvas, ref draws, stream, noise, values.AsSpan(row * Pixels, Pixels));
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
    private static void Develop(GlyphCanvas canvas, ref Draws draws, RandomStream stream, double noise, Span<byte> image)
    {
        // The deviation of a sum of four bytes is √(4·(256² − 1)/12).
        double perUnit = noise / Math.Sqrt(65535 / 3.0);
        double radius = draws.Between(0.6, 1.7), ink = draws.Between(0.65, 1);
        ulong bits = 0;
        for (int pixel = 0; pixel < image.Length; pixel++)
        {
            bits = (pixel & 1) == 0 ? stream.UInt64(NoiseElements + (pixel >> 1)) : bits >> 32;
            int sum = (int)(bits & 255) + (int)((bits >> 8) & 255) + (int)((bits >> 16) & 255) + (int)((bits >> 24) & 255);
            double grey = (ink * canvas.Coverage(pixel, radius)) + ((sum - 510) * perUnit);
            image[pixel] = (byte)((255 * Math.Clamp(grey, 0, 1)) + 0.5);
        }
    }
}

/// <summary>The elements of a stream, one after the other.</summary>
internal struct Draws(RandomStream stream)
{
    private long _next;

    public double Between(double low, double high) => stream.Uniform(_next++, low, high);

    public int Below(int bound) => stream.Below(_next++, bound);
}
