using DistTrain.Protocol.Planning;

namespace DistTrain.Engines;

/// <summary>
/// Measures this machine's <see cref="MachineProfile"/> in a few seconds, with the kernels and actors that runs use. Of each piece the fastest
/// of many repetitions counts: others on the machine only ever make it slower.
/// </summary>
public static class Calibration
{
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
        ElementMeasurements elements = new(fastest);
        progress ??= (_, _) => { };

        progress("matrix products", 0);
        ProductRates single = ProductMeasurements.Measure<float>(fastest), wide = ProductMeasurements.Measure<double>(fastest);
        progress("threads", 0.3);
        double speedup = crew.Speedup(), handOver = crew.HandOver(), wake = crew.Wake();
        progress("activations, losses and updates", 0.4);
        double row = elements.RowSeconds();
        MachineProfile arithmetic = new()
        {
            Name = name,
            Threads = width,
            ThreadSpeedup = speedup,
            ProductGigaflopsFloat32 = Math.Min(single.Forward.Gigaflops, single.Gradient.Gigaflops),
            ProductGigaflopsFloat64 = Math.Min(wide.Forward.Gigaflops, wide.Gradient.Gigaflops),
            ProductsFloat32 = single,
            ProductsFloat64 = wide,
            StreamRates = elements.Streams(),
            DrawsPerSecond = elements.Draws(),
            Activations = elements.Activations(row),
            LossSeconds = elements.LossSeconds(),
            RowSeconds = row,
            Updates = elements.Updates(),
            MessageSeconds = 0,
            JobSeconds = 0,
            HandOverSeconds = handOver,
            WakeSeconds = wake,
            StartSeconds = 0,
        };
        progress("actors", 0.6);
        (double message, double job, double start) = new ActorMeasurements(fastest).Measure(arithmetic);
        return arithmetic with { MessageSeconds = message, JobSeconds = job, StartSeconds = start };
    }
}
