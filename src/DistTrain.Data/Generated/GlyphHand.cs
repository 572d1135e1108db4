using System.Runtime.CompilerServices;

namespace DistTrain.Data.Generated;

/// <summary>
/// One person's way of writing one digit: size, width, slant, rotation, place, and a smooth displacement of the whole square that
/// wobbles it.
/// </summary>
internal sealed class GlyphHand
{
    private const int Grid = 4, StepsPerSpan = 5;
    private const double Jitter = 0.025;

    private readonly double _xx, _xy, _yx, _yy, _x, _y;
    private readonly double[] _wobble = new double[2 * Grid * Grid];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public GlyphHand(ref Draws draws)
    {
        double height = draws.Between(16, 22), width = height * draws.Between(0.7, 1.1), slant = draws.Between(-0.4, 0.4);

        // A rotation by θ from t = tan(θ/2), which needs no sine: cos θ = (1 − t²)/(1 + t²), sin θ = 2t/(1 + t²).
        double t = draws.Between(-0.1, 0.1), norm = 1 + (t * t), cosine = (1 - (t * t)) / norm, sine = 2 * t / norm;
        (_xx, _xy) = (cosine * width, (-cosine * slant * height) - (sine * height));
        (_yx, _yy) = (sine * width, (-sine * slant * height) + (cosine * height));
        double middle = (GlyphCanvas.Side - 1) / 2.0;
        (_x, _y) = (middle + draws.Between(-2.5, 2.5), middle + draws.Between(-2.5, 2.5));
        double strength = draws.Between(0.2, 1.5);
        foreach (ref double shift in _wobble.AsSpan())
        {
            shift = strength * draws.Between(-1, 1);
        }
    }

    /// <summary>Draws one stroke with its points a little off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Draw(GlyphStroke stroke, ref Draws draws, GlyphCanvas canvas)
    {
        int count = stroke.Points.Length / 2;
        Span<(double X, double Y)> points = stackalloc (double X, double Y)[count];
        for (int i = 0; i < count; i++)
        {
            double x = stroke.Points[2 * i] + draws.Between(-Jitter, Jitter);
            points[i] = (x, stroke.Points[(2 * i) + 1] + draws.Between(-Jitter, Jitter));
        }

        (double X, double Y) last = Place(points[0]);
        int spans = stroke.Closed ? count : count - 1;
        for (int span = 0; span < spans; span++)
        {
            for (int step = 1; step <= StepsPerSpan; step++)
            {
                double along = (double)step / StepsPerSpan;
                (double X, double Y) next = Place(
                    stroke.Smooth ? OnCurve(points, span, along, stroke.Closed) : OnLine(points, span, along));
                canvas.Segment(last.X, last.Y, next.X, next.Y);
                last = next;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (double X, double Y) OnLine(ReadOnlySpan<(double X, double Y)> points, int span, double along)
    {
        ((double x0, double y0), (double x1, double y1)) = (points[span], points[span + 1]);
        return (x0 + (along * (x1 - x0)), y0 + (along * (y1 - y0)));
    }

    /// <summary>Catmull and Rom's cubic through the points; an open curve repeats its end points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (double X, double Y) OnCurve(ReadOnlySpan<(double X, double Y)> points, int span, double along, bool closed)
    {
        int count = points.Length;
        (double X, double Y) a = closed ? points[(span + count - 1) % count] : points[Math.Max(0, span - 1)];
        (double X, double Y) b = points[span], c = points[(span + 1) % count];
        (double X, double Y) d = closed ? points[(span + 2) % count] : points[Math.Min(count - 1, span + 2)];
        return (Cubic(a.X, b.X, c.X, d.X, along), Cubic(a.Y, b.Y, c.Y, d.Y, along));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Cubic(double a, double b, double c, double d, double t) =>
        0.5 * ((2 * b) + (t * (c - a + (t * ((2 * a) - (5 * b) + (4 * c) - d + (t * ((3 * b) - a - (3 * c) + d)))))));

    /// <summary>From the unit square to pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private (double X, double Y) Place((double X, double Y) point)
    {
        (double wobbleX, double wobbleY) = Wobble(point.X, point.Y);
        (double x, double y) = (point.X - 0.5, point.Y - 0.5);
        return (_x + (_xx * x) + (_xy * y) + wobbleX, _y + (_yx * x) + (_yy * y) + wobbleY);
    }

    /// <summary>The displacement in pixels at a point: bilinear between the grid's random ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (double X, double Y) Wobble(double x, double y)
    {
        (double gridX, double gridY) = (Math.Clamp(x, 0, 1) * (Grid - 1), Math.Clamp(y, 0, 1) * (Grid - 1));
        (int column, int row) = (Math.Min(Grid - 2, (int)gridX), Math.Min(Grid - 2, (int)gridY));
        (double fx, double fy) = (gridX - column, gridY - row);
        int corner = 2 * ((row * Grid) + column), below = corner + (2 * Grid);
        return (Blend(corner, below, fx, fy), Blend(corner + 1, below + 1, fx, fy));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Blend(int corner, int below, double fx, double fy)
    {
        double top = _wobble[corner] + (fx * (_wobble[corner + 2] - _wobble[corner]));
        double bottom = _wobble[below] + (fx * (_wobble[below + 2] - _wobble[below]));
        return top + (fy * (bottom - top));
    }
}
