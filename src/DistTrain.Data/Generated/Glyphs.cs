using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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

    /// <summary>Rows that a thread draws before it asks for more and looks whether it should stop.</summary>
    private const int Stretch = 256;

    public static RawData Make(Func<int, RandomStream> streams, int rows, double noise, CancellationToken cancel)
    {
        byte[] values = new byte[checked(rows * Pixels)];

        // Every row has a stream of its own, so that it does not matter who draws it.
        int next = 0;
        Thread[] helpers = new Thread[Math.Clamp(rows / Stretch, 1, Environment.ProcessorCount) - 1];
        for (int i = 0; i < helpers.Length; i++)
        {
            helpers[i] = new Thread(Draw) { IsBackground = true, Name = "glyphs" };
            helpers[i].Start();
        }

        Draw();
        foreach (Thread helper in helpers)
        {
            helper.Join();
        }

        cancel.ThrowIfCancellationRequested();
        return new RawData("glyphs", new RawBytes(values, rows, Pixels, byte.MaxValue))
        {
            Labels = Planar.CyclicLabels(rows, Digits),
            ClassNames = Planar.NumberNames(Digits),
        };

        void Draw()
        {
            Desk desk = new();
            while (!cancel.IsCancellationRequested)
            {
                // Beyond the last row the numbers go on only once a thread, so they do not overflow.
                int first = (Interlocked.Increment(ref next) - 1) * Stretch;
                if (first >= rows)
                {
                    return;
                }

                for (int row = first; row < Math.Min(rows, first + Stretch); row++)
                {
                    DrawRow(streams(row), row % Digits, noise, desk, values.AsSpan(row * Pixels, Pixels));
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DrawRow(RandomStream stream, int digit, double noise, Desk desk, Span<byte> image)
    {
        Draws draws = new(stream, desk.Bits.AsSpan(0, UsualDraws));
        GlyphStroke[][] forms = GlyphShapes.Forms[digit];
        desk.Canvas.Clear();
        GlyphHand hand = new(ref draws);
        foreach (GlyphStroke stroke in forms[draws.Below(forms.Length)])
        {
            hand.Draw(stroke, ref draws, desk.Canvas);
        }

        double radius = draws.Between(0.6, GlyphCanvas.MaxRadius), ink = draws.Between(0.65, 1);
        stream.UInt64s(NoiseElements, desk.Bits);
        Develop(desk.Canvas, radius, ink, noise, desk.Bits, image);
    }

    /// <summary>
    /// Turns distances into grey values: pen radius and ink, then noise, which is four random bytes summed per pixel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Develop(GlyphCanvas canvas, double radius, double ink, double noise, ReadOnlySpan<ulong> bits, Span<byte> image)
    {
        // The deviation of a sum of four bytes is √(4·(256² − 1)/12).
        Vector256<double> perUnit = Vector256.Create(noise / Math.Sqrt(65535 / 3.0)), mean = Vector256.Create(510.0);

        // A whole number below 2⁵² in the low bits of the double 2⁵² is that double's fraction; only some processors convert four at once.
        Vector256<double> whole = Vector256.Create(4503599627370496.0);
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<ulong, uint>(bits);
        for (int row = 0, pixel = 0; row < GlyphCanvas.Side; row++)
        {
            for (int column = 0; column < GlyphCanvas.Side; column += 4, pixel += 4)
            {
                Vector128<uint> four = Vector128.Create(words.Slice(pixel, 4)), pairs = Vector128.Create(0x00FF_00FFu);
                four = (four & pairs) + ((four >>> 8) & pairs);
                four = (four & Vector128.Create(0xFFFFu)) + (four >>> 16);
                (Vector128<ulong> low, Vector128<ulong> high) = Vector128.Widen(four);
                Vector256<double> sum = (Vector256.Create(low, high) | whole.AsUInt64()).AsDouble() - whole;
                Vector256<double> grey = (Vector256.Create(ink) * canvas.Coverage(row, column, radius)) + ((sum - mean) * perUnit);
                grey = Vector256.Min(Vector256.Max(grey, Vector256<double>.Zero), Vector256<double>.One);
                grey = Vector256.Floor((Vector256.Create(255.0) * grey) + Vector256.Create(0.5)) + whole;
                for (int lane = 0; lane < 4; lane++)
                {
                    image[pixel + lane] = (byte)grey.AsUInt64().GetElement(lane);
                }
            }
        }
    }
}

/// <summary>What one thread draws with.</summary>
internal sealed class Desk
{
    public GlyphCanvas Canvas { get; } = new();

    /// <summary>Room for an image's random bits.</summary>
    public ulong[] Bits { get; } = new ulong[GlyphCanvas.Side * GlyphCanvas.Side / 2];
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Between(double low, double high) => low + ((high - low) * RandomStream.Uniform(Next()));

    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Next()
    {
        int index = _next++;
        return index < _first.Length ? _first[index] : _stream.UInt64(index);
    }
}
