using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Numerics.Initialization;

/// <summary>
/// Initial parameters: a pure function of the seed, the layer and the parameter. Both precisions start from the same numbers;
/// float32 has them rounded.
/// </summary>
public static class ParameterInitializer
{
    private const double DefaultPreluSlope = 0.25;

    /// <summary>
    /// Fills one parameter, row by row. Weights follow the layer's initializer; biases are 0, or drawn too by uniform(a, b);
    /// PReLU slopes are the layer's slope or 0.25. Of a contributed layer theta is 0 and scale is 1.
    /// </summary>
    public static void Fill<T>(NetworkSpec network, ParameterSpec parameter, ulong seed, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(parameter);
        Fill(network, parameter, new InitialStreams(seed, RandomPurpose.Initialization, parameter.Layer, Step: 0), values);
    }

    /// <summary>As the other form, with random numbers from <paramref name="streams"/>.</summary>
    internal static void Fill<T>(NetworkSpec network, ParameterSpec parameter, InitialStreams streams, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, parameter.Length);
        LayerSpec layer = network.Layers[parameter.Layer];
        InitializerSpec initializer = InitializerOf(layer);
        switch (parameter.Name[(parameter.Name.LastIndexOf('.') + 1)..])
        {
            case "weight":
                (double low, double high) = Bounds(initializer, parameter.Rows, parameter.Columns);
                Draw(streams.Weight, low, high, values);
                break;
            case "bias" when initializer.Kind == InitializerKind.Uniform:
                Draw(streams.Bias, initializer.Low, initializer.High, values);
                break;
            case "slope":
                values.Fill(T.CreateChecked((layer as DenseSpec)?.Slope ?? DefaultPreluSlope));
                break;
            case "scale":
                values.Fill(T.One);
                break;
            default:
                values.Clear();
                break;
        }
    }

    private static InitializerSpec InitializerOf(LayerSpec layer)
    {
        (InitializerSpec? chosen, InitializerKind usual) = layer switch
        {
            DenseSpec dense => (dense.Initializer, UsualKind(dense.Activation)),
            MaxoutSpec maxout => (maxout.Initializer, InitializerKind.Glorot),
            KCompetitiveSpec k => (k.Initializer, InitializerKind.Glorot),
            _ => (null, InitializerKind.Glorot),
        };
        return chosen ?? new InitializerSpec(usual);
    }

    private static InitializerKind UsualKind(ActivationKind activation)
        => activation is ActivationKind.Relu or ActivationKind.LeakyRelu or ActivationKind.Prelu or ActivationKind.Elu
            ? InitializerKind.He
            : InitializerKind.Glorot;

    private static (double Low, double High) Bounds(InitializerSpec initializer, int outputs, int inputs)
    {
        double bound = initializer.Kind switch
        {
            InitializerKind.Glorot => Math.Sqrt(6.0 / (inputs + outputs)),
            InitializerKind.He => Math.Sqrt(6.0 / inputs),
            InitializerKind.LeCun => Math.Sqrt(3.0 / inputs),
            _ => 0,
        };
        return initializer.Kind == InitializerKind.Uniform ? (initializer.Low, initializer.High) : (-bound, bound);
    }

    /// <summary>Fills with the stream's numbers, uniform in [low, high).</summary>
    internal static void Draw<T>(RandomStream stream, double low, double high, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<ulong> bits = stackalloc ulong[256];
        for (int start = 0; start < values.Length; start += bits.Length)
        {
            Span<T> block = values.Slice(start, Math.Min(bits.Length, values.Length - start));
            stream.UInt64s(start, bits[..block.Length]);
            Spread(bits[..block.Length], low, high, block);
        }
    }

    /// <summary>Uniform numbers in [low, high) from random bits, by the same operations one or sixteen at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread<T>(ReadOnlySpan<ulong> bits, double low, double high, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int done = 0;
        for (; Vector512.IsHardwareAccelerated && done + 16 <= bits.Length; done += 16)
        {
            Vector512<double> first = Spread(Vector512.Create(bits.Slice(done, 8)), low, high);
            Vector512<double> last = Spread(Vector512.Create(bits.Slice(done + 8, 8)), low, high);
            if (typeof(T) == typeof(float))
            {
                Vector512.Narrow(first, last).As<float, T>().CopyTo(values[done..]);
            }
            else
            {
                first.As<double, T>().CopyTo(values[done..]);
                last.As<double, T>().CopyTo(values[(done + 8)..]);
            }
        }

        for (; done < bits.Length; done++)
        {
            values[done] = T.CreateTruncating(low + ((high - low) * RandomStream.Uniform(bits[done])));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Spread(Vector512<ulong> bits, double low, double high) =>
        Vector512.Create(low) + (Vector512.Create(high - low) * (Vector512.ConvertToDouble(bits >>> 11) * Vector512.Create(1.0 / (1UL << 53))));
}

/// <summary>Where the random numbers of one layer's initial weights and biases come from.</summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Purpose">What they are drawn for.</param>
/// <param name="Layer">The layer of the key.</param>
/// <param name="Step">The step of the weights' key; the biases' is the next one.</param>
internal readonly record struct InitialStreams(ulong Seed, RandomPurpose Purpose, int Layer, long Step)
{
    public RandomStream Weight => new(Seed, Purpose, Layer, step: Step);

    public RandomStream Bias => new(Seed, Purpose, Layer, step: Step + 1);
}
