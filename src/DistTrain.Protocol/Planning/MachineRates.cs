using DistTrain.Numerics.Networks;

namespace DistTrain.Protocol.Planning;

/// <summary>How fast values stream through a core that reads and writes a working set of some size again and again.</summary>
/// <param name="WorkingSetBytes">Its size.</param>
/// <param name="GigabytesPerSecond">10⁹ bytes read or written a second.</param>
public sealed record StreamRate(double WorkingSetBytes, double GigabytesPerSecond);

/// <summary>
/// What a matrix product takes on one thread: a fixed time, its operations with rows padded to tiles and columns to vectors, and each value of the
/// matrix that has a weight's shape, which is packed, read once or written.
/// </summary>
/// <param name="Seconds">The fixed time.</param>
/// <param name="Gigaflops">10⁹ operations a second, a multiply-add counted as two.</param>
/// <param name="SecondsPerWeight">A value of the weight's shape.</param>
public sealed record ProductRate(double Seconds, double Gigaflops, double SecondsPerWeight)
{
    private const double TileRows = 8;

    /// <summary>Operations of a product whose edges are padded to tiles of 8 rows and so many values.</summary>
    public static double PaddedFlops(ProductKind kind, double rows, double outputs, double inputs, double lanes)
    {
        (double m, double n, double k) = kind switch
        {
            ProductKind.Forward => (rows, outputs, inputs),
            ProductKind.Gradient => (outputs, inputs, rows),
            _ => (rows, inputs, outputs),
        };
        return 2 * Math.Ceiling(m / TileRows) * TileRows * Math.Ceiling(n / lanes) * lanes * k;
    }
}

/// <summary>Rates of the products of a layer's passes, by which operand is transposed; a narrow layer has no more outputs than a vector holds.</summary>
public sealed record ProductRates
{
    /// <summary>x Wᵀ.</summary>
    public required ProductRate Forward { get; init; }

    /// <summary>δᵀ x.</summary>
    public required ProductRate Gradient { get; init; }

    /// <summary>δ W.</summary>
    public required ProductRate Signal { get; init; }

    /// <summary>x Wᵀ of a narrow layer.</summary>
    public required ProductRate NarrowForward { get; init; }

    /// <summary>δᵀ x of a narrow layer.</summary>
    public required ProductRate NarrowGradient { get; init; }

    /// <summary>δ W of a narrow layer.</summary>
    public required ProductRate NarrowSignal { get; init; }

    /// <summary>The rate of a product.</summary>
    public ProductRate Of(ProductKind kind, bool isNarrow) => kind switch
    {
        ProductKind.Forward => isNarrow ? NarrowForward : Forward,
        ProductKind.Gradient => isNarrow ? NarrowGradient : Gradient,
        _ => isNarrow ? NarrowSignal : Signal,
    };
}

/// <summary>A product of a layer's passes.</summary>
public enum ProductKind
{
    /// <summary>x Wᵀ: rows × outputs.</summary>
    Forward,

    /// <summary>δᵀ x: outputs × inputs.</summary>
    Gradient,

    /// <summary>δ W: rows × inputs.</summary>
    Signal,
}

/// <summary>What an activation takes besides the products, on one thread.</summary>
/// <param name="Kind">Which.</param>
/// <param name="ForwardSeconds">A value of the forward pass: the function, and the check that it is finite.</param>
/// <param name="BackwardSeconds">A value of the backward pass: the derivative, and the bias's gradient.</param>
public sealed record ActivationRate(ActivationKind Kind, double ForwardSeconds, double BackwardSeconds);

/// <summary>What an update takes on one thread.</summary>
/// <param name="Kind">By which optimizer.</param>
/// <param name="SecondsPerValue">A parameter's value.</param>
public sealed record UpdateRate(OptimizerKind Kind, double SecondsPerValue);
