using DistTrain.Protocol.Planning;

namespace DistTrain.Engines;

/// <summary>
/// Measures this machine's <see cref="MachineProfile"/> in about eight seconds, with the kernels and actors that runs use. Of each piece the fastest
/// of many repetitions counts: others on the machine only ever make it slower.
/// </summary>
public static class Calibration
{
    private const int Passes = 4;

    /// <summary>The profile of this machine.</summary>
    /// <param name="name">Its name, for people.</param>
    /// <param name="threads">Compute threads; 0 for one per core.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="progress">Hears what is measured next and which share is done.</param>
    /// <param name="cancel">Ends the measuring with an <see cref="OperationCanceledException"/>.</param>
    public static MachineProfile Measure(
        string name, int threads = 0, TimeProvider? time = null, Action<string, double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        FastestOf fastest = new(time ?? TimeProvider.System, cancel);
        int width = threads > 0 ? threads : Environment.ProcessorCount;
        CrewMeasurements crew = new(fastest, width);
        progress ??= (_, _) => { };

        MachineProfile arithmetic = null!;
        CrewRates helped = new(1, double.PositiveInfinity, double.PositiveInfinity);
        for (int pass = 0; pass < Passes; pass++)
        {
            // The passes before the last have everything compiled to its final form. Threads help each other only while nobody else has them, so the best counts.
            double done = 0.2 * pass;
            progress("threads", done);
            helped = helped.OrBetter(new CrewRates(crew.Speedup(), crew.HandOver(), crew.Wake()));
            progress("products, activations and updates", done);
            arithmetic = Arithmetic(name, width, fastest);
            fastest.Settle();
        }

        arithmetic = arithmetic with { ThreadSpeedup = helped.Speedup, HandOverSeconds = helped.HandOver, WakeSeconds = helped.Wake };
        progress("actors", 0.8);
        (double message, double job, double start) = new ActorMeasurements(fastest).Measure(arithmetic);
        return arithmetic with { MessageSeconds = message, JobSeconds = job, StartSeconds = start };
    }

    private static MachineProfile Arithmetic(string name, int threads, FastestOf fastest)
    {
        ElementMeasurements elements = new(fastest);
        ProductRates single = ProductMeasurements.Measure<float>(fastest), wide = ProductMeasurements.Measure<double>(fastest);
        double row = elements.RowSeconds();
        return new MachineProfile
        {
            Name = name,
            Threads = threads,
            ThreadSpeedup = 1,
            ProductGigaflopsFloat32 = Math.Min(single.Forward.Gigaflops, single.Gradient.Gigaflops),
            ProductGigaflopsFloat64 = Math.Min(wide.Forward.Gigaflops, wide.Gradient.Gigaflops),
            ProductsFloat32 = single,
            ProductsFloat64 = wide,
            StreamRates = elements.Streams(),
            DrawsPerSecond = elements.Draws(),
            Activations = elements.Activations(row),
            LossSeconds = elements.LossSeconds(),
            SimilaritySeconds = elements.SimilaritySeconds(),
            RowSeconds = row,
            Updates = elements.Updates(),
            MessageSeconds = 0,
            JobSeconds = 0,
            HandOverSeconds = 0,
            WakeSeconds = 0,
            StartSeconds = 0,
        };
    }

    /// <summary>How threads help each other.</summary>
    private sealed record CrewRates(double Speedup, double HandOver, double Wake)
    {
        public CrewRates OrBetter(CrewRates other) =>
            new(Math.Max(Speedup, other.Speedup), Math.Min(HandOver, other.HandOver), Math.Min(Wake, other.Wake));
    }
}
