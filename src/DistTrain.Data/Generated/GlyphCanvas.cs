using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistTrain.Data.Generated;

/// <summary>A 28×28 square that remembers each pixel's distance to the nearest stroke; reused for all images.</summary>
/// <remarks>
/// Images are drawn before a run can begin, by code that is called often at once: it is compiled with optimizations the first time. Four columns are handled together, each
/// by the operations that it would need alone, so that images are the same with and without vectors.
/// </remarks>
internal sealed class GlyphCanvas
{
    public const int Side = 28;

    /// <summary>The thickest pen.</summary>
    public const double MaxRadius = 1.7;

    /// <summary>Further than any pen covers, so that what lies beyond need not be looked at.</summary>
    private const double Reach = MaxRadius + 0.55;

    /// <summary>A row's places: a segment is drawn four columns at a time, from any column on.</summary>
    private const int Stride = Side + 4;

    private readonly double[] _squaredDistance = new double[Side * Stride];

    public void Clear() => Array.Fill(_squaredDistance, Reach * Reach);

    /// <summary>
    /// Takes note of the segment from (x0, y0) to (x1, y1), in pixels; pixel (column, row) has its centre at (column, row).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Segment(double x0, double y0, double x1, double y1)
    {
        (double dx, double dy) = (x1 - x0, y1 - y0);
        double length = (dx * dx) + (dy * dy);

        // A point is as far along itself as any number says; 1 keeps the quotient finite.
        Vector256<double> divisor = Vector256.Create(length == 0 ? 1 : length);
        (int left, int right) = Range(x0, x1);
        (int top, int bottom) = Range(y0, y1);
        for (int row = top; row <= bottom; row++)
        {
            double py = row - y0, across = py * dy;
            for (int column = left; column <= right; column += 4)
            {
                Vector256<double> px = Vector256.Create((double)column, column + 1, column + 2, column + 3) - Vector256.Create(x0);
                Vector256<double> along = ((px * Vector256.Create(dx)) + Vector256.Create(across)) / divisor;
                along = Vector256.Min(Vector256.Max(along, Vector256<double>.Zero), Vector256<double>.One);
                Vector256<double> ex = px - (along * Vector256.Create(dx)), ey = Vector256.Create(py) - (along * Vector256.Create(dy));
                Span<double> place = _squaredDistance.AsSpan((row * Stride) + column, 4);
                Vector256.Min(Vector256.Create<double>(place), (ex * ex) + (ey * ey)).CopyTo(place);
            }
        }
    }

    /// <summary>
    /// How much of four pixels of a row strokes of this radius cover, from 0 to 1: full inside, falling over one pixel at the edge.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<double> Coverage(int row, int column, double radius)
    {
        Vector256<double> distance = Vector256.Sqrt(Vector256.Create<double>(_squaredDistance.AsSpan((row * Stride) + column, 4)));
        return Vector256.Min(Vector256.Max(Vector256.Create(radius + 0.5) - distance, Vector256<double>.Zero), Vector256<double>.One);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (int First, int Last) Range(double a, double b) => (
        (int)Math.Clamp(Math.Ceiling(Math.Min(a, b) - Reach), 0, Side),
        (int)Math.Clamp(Math.Floor(Math.Max(a, b) + Reach), -1, Side - 1));
}
