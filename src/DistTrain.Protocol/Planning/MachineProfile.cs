namespace DistTrain.Protocol.Planning;

/// <summary>How fast values stream through a core that reads and writes a working set of some size again and again.</summary>
/// <param name="WorkingSetBytes">Its size.</param>
/// <param name="GigabytesPerSecond">10⁹ bytes read or written a second.</param>
public sealed record StreamRate(double WorkingSetBytes, double GigabytesPerSecond);

/// <summary>What a machine takes for the pieces that a run is made of; with it a plan says time and not only operations.</summary>
public sealed record MachineProfile
{
    /// <summary>What was measured, for people.</summary>
    public required string Name { get; init; }

    /// <summary>Compute threads.</summary>
    public required int Threads { get; init; }

    /// <summary>How many times faster all of them together compute a large product than one.</summary>
    public required double ThreadSpeedup { get; init; }

    /// <summary>10⁹ floating-point operations a second of one thread in products of full tiles, float32.</summary>
    public required double ProductGigaflopsFloat32 { get; init; }

    /// <summary>The same in float64.</summary>
    public required double ProductGigaflopsFloat64 { get; init; }

    /// <summary>What a product costs besides its operations, in seconds.</summary>
    public required double ProductSeconds { get; init; }

    /// <summary>Element-wise work, by working sets of growing size.</summary>
    public required IReadOnlyList<StreamRate> StreamRates { get; init; }

    /// <summary>Initial weights drawn a second.</summary>
    public required double DrawsPerSecond { get; init; }

    /// <summary>A message and its share of the jobs and turns around it, in seconds.</summary>
    public required double MessageSeconds { get; init; }

    /// <summary>A value of the network's output in a training step: activation, loss, signal; in seconds.</summary>
    public required double OutputSeconds { get; init; }

    /// <summary>Start and end of a run, in seconds.</summary>
    public required double StartSeconds { get; init; }

    /// <summary>Two cores with AVX-512 and 1 MiB of second-level cache each, about 3.7 GHz; what a plan takes unless it is told otherwise.</summary>
    public static MachineProfile Default { get; } = new()
    {
        Name = "two cores with AVX-512",
        Threads = 2,
        ThreadSpeedup = 1.7,
        ProductGigaflopsFloat32 = 175,
        ProductGigaflopsFloat64 = 90,
        ProductSeconds = 2e-7,
        StreamRates = [new(1 << 18, 235), new(1 << 21, 124), new(1 << 24, 115), new(1 << 27, 38)],
        DrawsPerSecond = 1.3e9,
        MessageSeconds = 7e-7,
        OutputSeconds = 1e-8,
        StartSeconds = 2e-4,
    };

    /// <summary>The same machine with one compute thread.</summary>
    public MachineProfile OnOneThread() => this with { Threads = 1, ThreadSpeedup = 1 };

    /// <summary>Bytes a second for a working set, between two measured sizes by their logarithms.</summary>
    public double StreamBytesPerSecond(double workingSetBytes)
    {
        const double Giga = 1e9;
        StreamRate before = StreamRates[0];
        foreach (StreamRate next in StreamRates)
        {
            if (workingSetBytes <= next.WorkingSetBytes)
            {
                double span = Math.Log(next.WorkingSetBytes / before.WorkingSetBytes);
                double share = span > 0 ? Math.Max(0, Math.Log(workingSetBytes / before.WorkingSetBytes) / span) : 0;
                return Giga * (before.GigabytesPerSecond + (share * (next.GigabytesPerSecond - before.GigabytesPerSecond)));
            }

            before = next;
        }

        return Giga * before.GigabytesPerSecond;
    }
}
