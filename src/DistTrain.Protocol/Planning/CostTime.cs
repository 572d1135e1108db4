using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// The time of a run in one process, from the counts of <see cref="CostModel"/> and a machine's profile: each matrix product at the rate of full
/// tiles with its edges padded to tiles, the values that steps stream through the cores, messages, and what a run takes once. Stages that work at
/// the same time are not credited for it: on the cores of one machine they share what one stage would have alone.
/// </summary>
internal sealed class CostTime(RunPlan plan, MachineProfile machine)
{
    // A tile of the product kernel: rows, and bytes of a row's part. Products below this size stay on one thread.
    private const double TileRows = 8, TileBytes = 64, ForkProduct = 250_000;

    // Forward reads a weight, backward writes its gradient; the update reads weight, gradient and velocity and writes two.
    private const double StreamsPerUpdate = 7, UpdateSet = 5;

    // An activation is written, taken through its function and its derivative, checked and added up: eight passes that read and write.
    private const double StreamsPerActivation = 16;

    // A row with fewer outputs than a vector of doubles takes as long as one that fills it.
    private const double OutputsMin = 8;

    private readonly RunSettings _settings = plan.Settings;
    private readonly double _valueBytes = plan.Settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);

    private double Rate => 1e9 * (_settings.Precision == Precision.Float32 ? machine.ProductGigaflopsFloat32 : machine.ProductGigaflopsFloat64);

    /// <summary>Seconds of the whole run.</summary>
    /// <param name="arithmetic">The run's multiply-adds.</param>
    /// <param name="messages">The messages of the whole run.</param>
    public double Seconds(CostArithmetic arithmetic, double messages)
    {
        TrainingSettings training = _settings.Training;
        double passesPerStep = _settings.Replicas * training.MicroBatches;
        double whole = Math.Floor((double)plan.TrainRows / training.BatchSize), rest = plan.TrainRows - (whole * training.BatchSize);
        double products = whole * passesPerStep * Pass(training.BatchSize / passesPerStep);
        products += rest > 0 ? passesPerStep * Pass(rest / passesPerStep) : 0;
        double large = 2 * (arithmetic.Once + arithmetic.Evaluations) / (Rate * machine.ThreadSpeedup);
        return machine.StartSeconds + (training.Epochs * (products + Rows())) + large + (plan.TotalSteps * Updates(arithmetic))
            + (messages * machine.MessageSeconds) + Once();
    }

    /// <summary>The products of a training pass over some rows.</summary>
    private double Pass(double rows)
    {
        double seconds = 0, width = _settings.Network.Inputs;
        for (int layer = 0; layer < _settings.Network.Layers.Count; layer++)
        {
            LayerSpec spec = _settings.Network.Layers[layer];
            double outputs = ContributedSpec.OutputsOf(spec), inputs = layer == 0 && plan.Front is not null ? plan.Front.Features : width;
            if (outputs > 0)
            {
                bool isSignal = layer == 0 && plan.Front?.Form == ContributionForm.Gram;
                seconds += Product(rows, outputs, inputs);
                seconds += isSignal ? 0 : Product(outputs, inputs, rows);
                seconds += layer > 0 ? Product(rows, inputs, outputs) : 0;
            }

            width = spec is MaxoutSpec maxout ? maxout.Units : outputs > 0 ? outputs : width;
        }

        return seconds;
    }

    private double Product(double m, double n, double k)
    {
        double lanes = TileBytes / _valueBytes;
        double padded = Math.Ceiling(m / TileRows) * TileRows * Math.Ceiling(n / lanes) * lanes * k;
        return machine.ProductSeconds + (2 * padded / (Rate * (m * n * k >= ForkProduct ? machine.ThreadSpeedup : 1)));
    }

    /// <summary>An epoch's rows: loaded, through the activations, through the loss.</summary>
    private double Rows()
    {
        NetworkSpec network = _settings.Network;
        double loaded = plan.Front is null ? network.Inputs : plan.Front.Features + plan.Front.Outputs, width = 0, outputs = network.Inputs;
        foreach (LayerSpec layer in network.Layers)
        {
            outputs = layer is MaxoutSpec maxout ? maxout.Units : Math.Max(ContributedSpec.OutputsOf(layer), 0) is > 0 and var own ? own : outputs;
            width += outputs;
        }

        double bytes = ((2 * loaded) + (StreamsPerActivation * width)) * _valueBytes;
        return plan.TrainRows * ((bytes / machine.StreamBytesPerSecond(plan.TrainRows * loaded * _valueBytes)) + (Math.Max(outputs, OutputsMin) * machine.OutputSeconds));
    }

    private double Updates(CostArithmetic arithmetic)
    {
        double bytes = arithmetic.UpdatesPerStep * _valueBytes;
        return StreamsPerUpdate * bytes / machine.StreamBytesPerSecond(UpdateSet * bytes);
    }

    /// <summary>Weights drawn and handed out at the end; under front contribution formed once more, with a velocity.</summary>
    private double Once()
    {
        double values = plan.Results.Sum(place => (double)place.Parameter.Length), bytes = values * _valueBytes;
        double copies = plan.Front is null ? 2 : 2 + (3 * (1 + CostMemory.StateCount(_settings)));
        return (values / machine.DrawsPerSecond) + (copies * bytes / machine.StreamBytesPerSecond(copies * bytes));
    }
}
