using DistTrain.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;

namespace DistTrain.Protocol.Planning;

/// <summary>Seconds of the pieces that jobs are made of, on one thread of a machine, in one precision.</summary>
/// <param name="machine">The machine.</param>
/// <param name="precision">Of all values.</param>
/// <param name="stepBytes">What a step reads and writes: whatever is not touched twice within it comes from the cache that holds so much.</param>
internal sealed class MachinePrices(MachineProfile machine, Precision precision, double stepBytes)
{
    // Bytes of a row's part of the product kernel's tile.
    private const double TileBytes = 64;

    private readonly ProductRates _products = precision == Precision.Float32 ? machine.ProductsFloat32 : machine.ProductsFloat64;
    private readonly double _lanes = TileBytes / BytesOf(precision);
    private readonly double _elementFactor = precision == Precision.Float32 ? 1 : 2;

    /// <summary>Bytes of a value.</summary>
    public double ValueBytes { get; } = BytesOf(precision);

    /// <summary>Operations a second in full tiles.</summary>
    public double FlopsPerSecond { get; } = 1e9 * (precision == Precision.Float32 ? machine.ProductGigaflopsFloat32 : machine.ProductGigaflopsFloat64);

    /// <summary>A product of a layer's pass.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="outputs">The layer's outputs.</param>
    /// <param name="inputs">The layer's inputs.</param>
    /// <param name="adds">Whether it is added to what is there.</param>
    public JobPart Product(ProductKind kind, double rows, double outputs, double inputs, bool adds = false)
    {
        ProductRate rate = _products.Of(kind, outputs <= _lanes);
        double weights = outputs * inputs, touched = adds ? 2 : 1;
        double seconds = rate.Seconds + (ProductRate.PaddedFlops(kind, rows, outputs, inputs, _lanes) / (1e9 * rate.Gigaflops)) + (touched * weights * rate.SecondsPerWeight)
            + (touched * weights * ColdSecondsPerValue);
        double products = rows * outputs * inputs;
        return new JobPart(seconds, products >= Gemm.ForkProduct ? 2 * products : 0);
    }

    /// <summary>Values of an activation, forward.</summary>
    public double ActivationForward(ActivationKind kind, double values) => _elementFactor * values * machine.ActivationOf(kind).ForwardSeconds;

    /// <summary>Values of an activation, backward, over some rows.</summary>
    public double ActivationBackward(ActivationKind kind, double values, double rows) =>
        (_elementFactor * values * machine.ActivationOf(kind).BackwardSeconds) + (rows * machine.RowSeconds);

    /// <summary>The loss of some output values and its gradient.</summary>
    public double Loss(double values) => values * machine.LossSeconds;

    /// <summary>Similarities of the rows of some output values, products apart.</summary>
    public double Similarity(double values) => values * machine.SimilaritySeconds;

    /// <summary>Rows copied from a data set.</summary>
    public double Load(double rows, double values, double dataValues) =>
        (rows * machine.RowSeconds) + (2 * values * ValueBytes / machine.StreamBytesPerSecond(Math.Max(stepBytes, dataValues * ValueBytes)));

    /// <summary>An update, which reads and writes so many values for each of the parameter's.</summary>
    public double Update(OptimizerKind kind, double values, double streams) =>
        Math.Max(_elementFactor * values * machine.UpdateSecondsOf(kind), Streamed(values * streams));

    /// <summary>Values read or written once.</summary>
    public double Streamed(double values) => values * ValueBytes / machine.StreamBytesPerSecond(stepBytes);

    /// <summary>Operations without a shape of their own, and the values that they touch: the longer of the two.</summary>
    public double Roofline(double flops, double bytes) => Math.Max(flops / FlopsPerSecond, bytes / machine.StreamBytesPerSecond(stepBytes));

    /// <summary>What a value takes longer than one that is in the nearest caches.</summary>
    private double ColdSecondsPerValue =>
        ValueBytes * Math.Max(0, (1 / machine.StreamBytesPerSecond(stepBytes)) - (1e-9 / machine.StreamRates[0].GigabytesPerSecond));

    private static double BytesOf(Precision precision) => precision == Precision.Float32 ? sizeof(float) : sizeof(double);
}
