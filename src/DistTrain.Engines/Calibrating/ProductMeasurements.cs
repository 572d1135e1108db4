using System.Numerics;
using DistTrain.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines;

/// <summary>Measures the products of a layer's passes and fits <see cref="ProductRate"/> to them.</summary>
internal static class ProductMeasurements
{
    private const double Milliseconds = 5;

    // A repetition takes at least about so many operations, so that the clock's own steps do not count.
    private const double FlopsPerRepetition = 2e6;

    // Batches from a micro-batch's rows up, layers that fit into the first-level cache and such that do not.
    private static readonly (int Rows, int Outputs, int Inputs)[] s_wide =
        [(8, 64, 64), (16, 128, 784), (16, 512, 512), (32, 64, 64), (64, 64, 64), (64, 256, 256), (64, 512, 784), (256, 128, 256)];

    private static readonly (int Rows, int Outputs, int Inputs)[] s_narrow =
        [(8, 10, 64), (16, 10, 128), (16, 10, 512), (64, 10, 64), (64, 10, 256), (256, 10, 128), (256, 10, 512)];

    /// <summary>The rates in one precision.</summary>
    public static ProductRates Measure<T>(FastestOf fastest)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new()
        {
            Forward = Rate<T>(fastest, ProductKind.Forward, s_wide),
            Gradient = Rate<T>(fastest, ProductKind.Gradient, s_wide),
            Signal = Rate<T>(fastest, ProductKind.Signal, s_wide),
            NarrowForward = Rate<T>(fastest, ProductKind.Forward, s_narrow),
            NarrowGradient = Rate<T>(fastest, ProductKind.Gradient, s_narrow),
            NarrowSignal = Rate<T>(fastest, ProductKind.Signal, s_narrow),
        };

    /// <summary>
    /// The rate whose times are, relative to measured ones, nearest in least squares, no part below 0. Of the three parts each is left out in turn
    /// where that keeps the others from being negative.
    /// </summary>
    /// <param name="points">Padded operations, values of the weight's shape, and seconds of each product.</param>
    public static ProductRate Fit(IReadOnlyList<(double Flops, double Weights, double Seconds)> points)
    {
        // A product always has operations; time for them alone is the last resort.
        (double[] Parts, double Error) best = ([], double.PositiveInfinity);
        foreach (bool[] used in (bool[][])[[true, true, true], [true, true, false], [false, true, true], [false, true, false]])
        {
            double[] parts = LeastSquares.Solve(
                [.. points.Select(point => (double[])[used[0] ? 1 / point.Seconds : 0, point.Flops / point.Seconds, used[2] ? point.Weights / point.Seconds : 0])],
                used);
            double error = points.Sum(point => Math.Pow(((parts[0] + (point.Flops * parts[1]) + (point.Weights * parts[2])) / point.Seconds) - 1, 2));
            if (parts[0] >= 0 && parts[1] > 0 && parts[2] >= 0 && error < best.Error)
            {
                best = (parts, error);
            }
        }

        return new ProductRate(best.Parts[0], 1e-9 / best.Parts[1], best.Parts[2]);
    }

    private static ProductRate Rate<T>(FastestOf fastest, ProductKind kind, (int Rows, int Outputs, int Inputs)[] shapes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Fit([.. shapes.Select(shape => Point<T>(fastest, kind, shape.Rows, shape.Outputs, shape.Inputs))]);

    private static unsafe (double Flops, double Weights, double Seconds) Point<T>(FastestOf fastest, ProductKind kind, int rows, int outputs, int inputs)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int VectorBytes = 64;
        using Tensor<T> x = new(rows, inputs), w = new(outputs, inputs), s = new(rows, outputs);
        double flops = ProductRate.PaddedFlops(kind, rows, outputs, inputs, VectorBytes / sizeof(T));
        int times = (int)Math.Max(1, FlopsPerRepetition / flops);
        double seconds = fastest.Seconds(Milliseconds, () =>
        {
            for (int time = 0; time < times; time++)
            {
                Multiply(kind, x.View, w.View, s.View);
            }
        });
        return (flops, (double)outputs * inputs, seconds / times);
    }

    private static void Multiply<T>(ProductKind kind, TensorView<T> x, TensorView<T> w, TensorView<T> s)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case ProductKind.Forward:
                Gemm.Multiply(x, false, w, true, s);
                break;
            case ProductKind.Gradient:
                Gemm.Multiply(s, true, x, false, w);
                break;
            default:
                Gemm.Multiply(s, false, w, false, x);
                break;
        }
    }
}
