using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Settings;
using System.Runtime.InteropServices;

namespace DistTrain.Commands.Tests;

/// <summary>An engine that counts steps instead of training: parameters stay as they start, and every step's loss is 1 /
/// step.</summary>
internal sealed class FakeEngine : IEngine
{
    public string Name { get; init; } = "threads";

    public List<RunRequest> Requests { get; } = [];

    public string? Refusal { get; init; }

    /// <summary>Stops, as after Ctrl-C, when this step is committed.</summary>
    public long? StopAt { get; init; }

    /// <summary>Completes, as by early stopping, when this step is committed and the settings know early stopping.</summary>
    public long? CompletesAt { get; init; }

    /// <summary>How a run from a seed ends.</summary>
    public Func<ulong, (RunStatus Status, double Loss)> Ending { get; init; } = _ => (RunStatus.Completed, 0.5);

    /// <summary>Ends before the first step.</summary>
    public bool FailsAtOnce { get; init; }

    public Exception? Throws { get; init; }

    public string? Refuses(RunRequest request) => Refusal;

    public RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken stop)
    {
        Requests.Add(request);
        if (Throws is not null)
        {
            throw Throws;
        }

        RunSettings settings = request.Settings;
        int perEpoch = (request.Data.TrainRows + settings.Training.BatchSize - 1) / settings.Training.BatchSize;
        long total = (long)perEpoch * settings.Training.Epochs;
        long step = request.ResumeFromStep;
        (RunStatus status, double loss) = Ending(settings.Seed);
        while (step < total && !FailsAtOnce)
        {
            step++;
            TimeSpan elapsed = TimeSpan.FromMilliseconds(step);
            observer.OnStep(new StepProgress(step, total, 1.0 / step, 0.5, settings.Training.BatchSize, 0.1, RunClock.Still(elapsed)));
            if (step % perEpoch == 0)
            {
                observer.OnEpoch(new EpochProgress((int)(step / perEpoch), settings.Training.Epochs, step, 1.0 / step, 0.5, null, double.NaN, elapsed));
            }

            if (step == CompletesAt && settings.Training.EarlyStoppingPatience is not null)
            {
                break;
            }

            if (step == StopAt || stop.IsCancellationRequested)
            {
                status = RunStatus.Stopped;
                break;
            }
        }

        if (request.JournalFolder is string journal)
        {
            FakeJournal.Write(journal, step);
        }

        return new RunOutcome
        {
            Status = status,
            Reason = status == RunStatus.Diverged ? "the loss of step 3 is not finite; try a smaller learning rate" : "",
            Steps = step,
            Epochs = (int)(step / perEpoch),
            FinalLoss = loss,
            TrainAccuracy = 0.75,
            TestAccuracy = null,
            Parameters = Parameters(settings),
            MessagesByType = [KeyValuePair.Create("activation", 3L), KeyValuePair.Create("signal", 2L)],
            BytesSent = 100,
            SamplesPerSecond = 1000,
            Wall = TimeSpan.FromSeconds(1),
        };
    }

    private static List<(ParameterSpec, byte[])> Parameters(RunSettings settings)
    {
        List<(ParameterSpec, byte[])> parameters = [];
        foreach (ParameterSpec spec in ModelFile.Parameters(settings.Network))
        {
            if (settings.Precision == Precision.Float32)
            {
                float[] values = new float[spec.Length];
                ParameterInitializer.Fill<float>(settings.Network, spec, settings.Seed, values);
                parameters.Add((spec, MemoryMarshal.AsBytes<float>(values).ToArray()));
            }
            else
            {
                double[] values = new double[spec.Length];
                ParameterInitializer.Fill<double>(settings.Network, spec, settings.Seed, values);
                parameters.Add((spec, MemoryMarshal.AsBytes<double>(values).ToArray()));
            }
        }

        return parameters;
    }
}
