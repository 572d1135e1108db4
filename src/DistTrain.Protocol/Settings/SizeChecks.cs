using System.Globalization;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Wire;

namespace DistTrain.Protocol.Settings;

/// <summary>
/// What fits a buffer: 2 GiB, for the lengths of spans are ints. Nothing is multiplied as ints before it has passed here.
/// </summary>
public static class SizeChecks
{
    /// <summary>Bytes of a buffer.</summary>
    public const long BufferBytesMax = int.MaxValue;

    /// <summary>The first layer that is too large, or null. A tensor lies in one buffer, and so do all vectors of its optimizer state and all values of a stage's passes.</summary>
    internal static SettingsProblem? Problem(RunSettings settings)
    {
        long bytes = ValueBytes(settings), state = Math.Max(1, StateCount(settings));
        long rows = Math.Max(Limits.EvaluationRowsMax, settings.Training.BatchSize / Math.Max(1L, (long)settings.Replicas * settings.Training.MicroBatches) + 1);
        long width = settings.Network.Inputs;
        int layer = 0;
        foreach (int count in settings.Stages)
        {
            long passes = width * rows;
            for (int last = layer + count; layer < last; layer++)
            {
                long outputs = OutputsOf(settings.Network.Layers[layer], width), products = ProductsOf(settings.Network.Layers[layer], width);
                if (products * width > BufferBytesMax / (bytes * state))
                {
                    return TooLarge(layer, $"a weight of {products} × {width} values, with its optimizer's state,", (double)products * width * bytes * state);
                }

                // Before and behind the activation.
                passes += rows * (products + outputs);
                if (passes > BufferBytesMax / bytes)
                {
                    return TooLarge(layer, $"what {rows} rows make in its stage", (double)passes * bytes);
                }

                width = outputs;
            }
        }

        return null;
    }

    /// <summary>Refuses a slice that fits no buffer.</summary>
    /// <exception cref="InvalidInputException">It has too many values.</exception>
    internal static void RequireSlice(RunSettings settings, int stage, int shard, long values)
    {
        long bytes = values * ValueBytes(settings) * Math.Max(1, StateCount(settings));
        if (bytes > BufferBytesMax)
        {
            throw new InvalidInputException(
                $"stages: the tensors of stage {stage} on shard {shard}, with their optimizer's state, take {Gigabytes(bytes)}; expected at most {Gigabytes(BufferBytesMax)}, "
                + "by more stages or a larger parameter-server.shards");
        }
    }

    /// <summary>The first slice that no frame of the wire holds, or null; for engines whose actors live in several processes.</summary>
    public static SettingsProblem? FrameProblem(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        long copied = plan.Topology.Copies > 1 ? 1 + StateCount(plan.Settings) : 1, bytes = ValueBytes(plan.Settings) * copied;
        const long most = WireLimits.FrameBytesMax - WireLimits.HeaderBytesMax;
        return plan.Slices.FirstOrDefault(slice => Math.Max(slice.Length, slice.GradientLength) * bytes > most) is { } large
            ? new SettingsProblem(
                "stages",
                $"the tensors of stage {large.Stage} on shard {large.Shard} take {Gigabytes(large.Length * bytes)}; expected at most {Gigabytes(most)} between processes, "
                + "by more stages, a larger parameter-server.shards or narrower layers")
            : null;
    }

    private static SettingsProblem TooLarge(int layer, string what, double bytes) =>
        new("network", $"layer {layer}: {what} takes {Gigabytes(bytes)}; expected at most {Gigabytes(BufferBytesMax)}");

    private static long ValueBytes(RunSettings settings) => settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);

    private static int StateCount(RunSettings settings) => new Optimizer<float>(settings.Optimizer).StateCount;

    private static long OutputsOf(LayerSpec layer, long width) => layer switch
    {
        DenseSpec dense => dense.Units,
        MaxoutSpec maxout => maxout.Units,
        KCompetitiveSpec competitive => competitive.Units,
        _ => width,
    };

    private static long ProductsOf(LayerSpec layer, long width) => layer is MaxoutSpec maxout ? (long)maxout.Units * maxout.Pieces : layer is DropoutSpec ? 0 : OutputsOf(layer, width);

    private static string Gigabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1 << 30):0.##} GiB");
}
