using DistTrain.Numerics;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// The time of a run in one process: jobs by the prices of <see cref="JobTime"/>, as the simulated engine charges them, what actors take around jobs and
/// for messages, and what a run takes once. Stages that work at the same time are not credited for it: on the cores of one machine they share what one
/// stage would have alone. The simulated engine says what overlaps.
/// </summary>
internal sealed class CostTime(RunPlan plan, MachineProfile machine)
{
    private readonly RunSettings _settings = plan.Settings;
    private readonly JobTime _jobs = new(plan, machine);
    private readonly double _valueBytes = plan.Settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);

    private double Rate => 1e9 * (_settings.Precision == Precision.Float32 ? machine.ProductGigaflopsFloat32 : machine.ProductGigaflopsFloat64);

    /// <summary>Seconds of the whole run.</summary>
    /// <param name="arithmetic">The run's multiply-adds.</param>
    /// <param name="messages">The messages of the whole run.</param>
    public double Seconds(CostArithmetic arithmetic, double messages)
    {
        TrainingSettings training = _settings.Training;
        double whole = Math.Floor((double)plan.TrainRows / training.BatchSize), rest = plan.TrainRows - (whole * training.BatchSize);
        double steps = (whole * Step(training.BatchSize)) + (rest > 0 ? Step((int)rest) : 0);
        double large = 2 * (arithmetic.Once + arithmetic.Evaluations) / (Rate * machine.ThreadSpeedup);
        return machine.StartSeconds + (training.Epochs * steps) + large + (messages * machine.MessageSeconds) + Once();
    }

    /// <summary>All jobs of a step over some rows.</summary>
    private double Step(int rows)
    {
        double seconds = 0;
        for (int replica = 0; replica < _settings.Replicas; replica++)
        {
            int own = EvenSplit.Part(rows, _settings.Replicas, replica).Count;
            for (int microBatch = 0; microBatch < _settings.Training.MicroBatches; microBatch++)
            {
                int part = EvenSplit.Part(own, _settings.Training.MicroBatches, microBatch).Count;
                seconds += StepJobs.OfPass(plan, part, accumulates: microBatch > 0).Sum(Priced) + StepJobs.Gradients(plan, own, microBatch).Sum(Priced);
            }
        }

        return seconds + StepJobs.Updates(plan).Sum(Priced);
    }

    private double Priced(Job job) => machine.JobSeconds + _jobs.Of(job).ForkedSeconds(machine);

    /// <summary>Weights drawn and handed out at the end; under front contribution formed once more, with a velocity.</summary>
    private double Once()
    {
        double values = plan.Results.Sum(place => (double)place.Parameter.Length), bytes = values * _valueBytes;
        double copies = plan.Front is null ? 2 : 2 + (3 * (1 + CostMemory.StateCount(_settings)));
        return (values / machine.DrawsPerSecond) + (copies * bytes / machine.StreamBytesPerSecond(copies * bytes));
    }
}
