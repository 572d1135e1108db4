using DistTrain.Data;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Tracing;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Tests.Simulated;

/// <summary>Runs of which only the time is of interest.</summary>
internal static class Timing
{
    /// <summary>A network and actors that cost nothing but what is declared.</summary>
    public static SimulationSettings Free { get; } = new()
    {
        TimingOnly = true,
        Latency = TimeSpan.Zero,
        MessageOverhead = TimeSpan.Zero,
        BandwidthBytesPerSecond = 0,
        Costs = new DeclaredCosts(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1)),
    };

    /// <summary>A pipeline of stages with a layer each; a row for each micro-batch.</summary>
    public static RunRequest Pipeline(int stages, int microBatches, string schedule, SimulationSettings simulation, int steps = 2)
    {
        float[] values = new float[2 * microBatches];
        DataSet<float> rows = DataSet<float>.FromLabels("zeros", 2, values, new int[microBatches], 2);
        return new RunRequest
        {
            Data = RunData.From(new TrainTest<float>(rows, null)),
            Simulation = simulation,
            Settings = new RunSettings
            {
                Name = "pipeline",
                Network = new NetworkSpec(
                    2, [.. Enumerable.Range(1, stages - 1).Select(_ => new DenseSpec(2, ActivationKind.Relu)), new DenseSpec(2, ActivationKind.Softmax)]),
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1),
                Training = new TrainingSettings(steps, microBatches, microBatches) { EvaluateEvery = steps },
                Method = new MethodSettings(Schedule: schedule),
                Stages = [.. Enumerable.Repeat(1, stages)],
                CheckpointEverySteps = 0,
            },
        };
    }
}

/// <summary>Keeps what a trace hears. Thread-safe.</summary>
internal sealed class KeptTrace : IRunTrace
{
    private readonly Lock _lock = new();

    public List<TraceSpan> Spans { get; } = [];

    public List<TraceMessage> Messages { get; } = [];

    public List<(ActorId Actor, long Nanoseconds, ActorWait Wait, long StoredBytes)> Waits { get; } = [];

    public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes)
    {
        lock (_lock)
        {
            Waits.Add((actor, nanoseconds, wait, storedBytes));
        }
    }

    public void OnSpan(in TraceSpan span)
    {
        lock (_lock)
        {
            Spans.Add(span);
        }
    }

    public void OnMessage(in TraceMessage message)
    {
        lock (_lock)
        {
            Messages.Add(message);
        }
    }
}
