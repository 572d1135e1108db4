using DistTrain.Numerics.Networks;

namespace DistTrain.Protocol.Planning;

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

    /// <summary>Products of a layer's passes, float32.</summary>
    public required ProductRates ProductsFloat32 { get; init; }

    /// <summary>The same in float64.</summary>
    public required ProductRates ProductsFloat64 { get; init; }

    /// <summary>Element-wise work, by working sets of growing size.</summary>
    public required IReadOnlyList<StreamRate> StreamRates { get; init; }

    /// <summary>Initial weights drawn a second.</summary>
    public required double DrawsPerSecond { get; init; }

    /// <summary>Activations, float32; float64 is taken as twice as long.</summary>
    public required IReadOnlyList<ActivationRate> Activations { get; init; }

    /// <summary>A value of the network's output in its loss and the loss's gradient, in seconds.</summary>
    public required double LossSeconds { get; init; }

    /// <summary>A value of a stage's output in the similarity of a local loss, its products apart, in seconds.</summary>
    public required double SimilaritySeconds { get; init; }

    /// <summary>A row of a batch in a job that goes row by row, its values apart, in seconds.</summary>
    public required double RowSeconds { get; init; }

    /// <summary>Updates of parameters whose working set is in the nearest caches.</summary>
    public required IReadOnlyList<UpdateRate> Updates { get; init; }

    /// <summary>A message: made, delivered by reference and taken in, in seconds.</summary>
    public required double MessageSeconds { get; init; }

    /// <summary>A job besides its arithmetic: started, queued, buffers found, its end taken in, in seconds.</summary>
    public required double JobSeconds { get; init; }

    /// <summary>From when work is there until a compute thread that is looking for some begins with it, in seconds.</summary>
    public required double HandOverSeconds { get; init; }

    /// <summary>The same for a compute thread that sleeps.</summary>
    public required double WakeSeconds { get; init; }

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
        ProductsFloat32 = new()
        {
            Forward = new(2e-7, 250, 7e-11), Gradient = new(2e-7, 255, 1e-11), Signal = new(1e-7, 255, 1e-11),
            NarrowForward = new(2e-7, 190, 7e-11), NarrowGradient = new(2e-7, 200, 1e-11), NarrowSignal = new(1e-7, 220, 1e-11),
        },
        ProductsFloat64 = new()
        {
            Forward = new(2e-7, 120, 1.4e-10), Gradient = new(2e-7, 125, 2e-11), Signal = new(1e-7, 125, 2e-11),
            NarrowForward = new(2e-7, 95, 1.4e-10), NarrowGradient = new(2e-7, 100, 2e-11), NarrowSignal = new(1e-7, 110, 2e-11),
        },
        StreamRates = [new(1 << 18, 235), new(1 << 21, 124), new(1 << 24, 115), new(1 << 27, 38)],
        DrawsPerSecond = 1.3e9,
        Activations = [.. Enum.GetValues<ActivationKind>().Select(kind => new ActivationRate(kind, kind == ActivationKind.Softmax ? 2e-9 : 2e-10, 3e-10))],
        LossSeconds = 8e-9,
        SimilaritySeconds = 6e-9,
        RowSeconds = 1.5e-8,
        Updates = [.. Enum.GetValues<OptimizerKind>().Select(kind => new UpdateRate(kind, kind == OptimizerKind.Sgd ? 1e-10 : 5e-10))],
        MessageSeconds = 3e-7,
        JobSeconds = 4e-7,
        HandOverSeconds = 5e-7,
        WakeSeconds = 4e-5,
        StartSeconds = 2e-4,
    };

    /// <summary>The same machine with one compute thread.</summary>
    public MachineProfile OnOneThread() => this with { Threads = 1, ThreadSpeedup = 1 };

    /// <summary>Seconds that a forward and a backward pass take for each value of an activation.</summary>
    public ActivationRate ActivationOf(ActivationKind kind) => Activations.First(rate => rate.Kind == kind);

    /// <summary>Seconds that an update takes for each value.</summary>
    public double UpdateSecondsOf(OptimizerKind kind) => Updates.First(rate => rate.Kind == kind).SecondsPerValue;

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
