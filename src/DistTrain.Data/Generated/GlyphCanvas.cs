namespace DistTrain.Data.Generated;

/// <summary>A 28×28 square that remembers each pixel's distance to the nearest stroke; reused for all images.</summary>
internal sealed class GlyphCanvas
{
    public const int Side = 28;

    /// <summary>Further than any stroke reaches.</summary>
    private const double Reach = 4;

    private readonly double[] _squaredDistance = new double[Side * Side];

    public void Clear() => Array.Fill(_squaredDistance, Reach * Reach);

    /// <summary>
    /// Takes note of the segment from (x0, y0) to (x1, y1), in pixels; pixel (column, row) has its centre at (column, row).
    /// </summary>
    public void Segment(double x0, double y0, double x1, double y1)
    {
        (double dx, double dy) = (x1 - x0, y1 - y0);
        double length = (dx * dx) + (dy * dy);
        (int left, int right) = Range(x0, x1);
        (int top, int bottom) = Range(y0, y1);
        for (int row = top; row <= bottom; row++)
        {
            for (int column = left; column <= right; column++)
            {
                (double px, double py) = (column - x0, row - y0);
                double along = length == 0 ? 0 : Math.Clamp(((px * dx) + (py * dy)) / length, 0, 1);
                (double ex, double ey) = (px - (along * dx), py - (along * dy));
                ref double nearest = ref _squaredDistance[(row * Side) + column];
                nearest = Math.Min(nearest, (ex * ex) + (ey * ey));
            }
        }
    }

    /// <summary>
    /// How much of a pixel strokes of this radius cover, from 0 to 1: full inside, falling over one pixel at the edge.
    /// </summary>
    public double Coverage(int pixel, double radius) => Math.Clamp(radius + 0.5 - Math.Sqrt(_squaredDistance[pixel]), 0, 1);

    private static (int First, int Last) Range(double a, double b) => (
        (int)Math.Clamp(Math.Ceiling(Math.Min(a, b) - Reach), 0, Side),
        (int)Math.Clamp(Math.Floor(Math.Max(a, b) + Reach), -1, Side - 1));
}
