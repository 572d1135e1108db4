using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>Training on random rows, for measuring steps: dense products take the same time whatever stands in them.</summary>
internal static class RandomRows
{
    /// <summary>Rows of labels, as many as one step of every size measured.</summary>
    public static RunData Data(int rows, int inputs, int classes)
    {
        RandomStream stream = new(1, RandomPurpose.GeneratedData);
        float[] values = [.. Enumerable.Range(0, rows * inputs).Select(i => (float)stream.Uniform(i, -1, 1))];
        return RunData.From(new TrainTest<float>(
            DataSet<float>.FromLabels("random", inputs, values, [.. Enumerable.Range(0, rows).Select(row => row % classes)], classes), null));
    }

    /// <summary>Backpropagation by SGD through dense layers with ReLU, the last one with softmax.</summary>
    /// <param name="sizes">Widths from inputs to classes.</param>
    /// <param name="stages">Layers of each stage.</param>
    /// <param name="training">Batch and epochs.</param>
    public static RunSettings Settings(IReadOnlyList<int> sizes, IReadOnlyList<int> stages, TrainingSettings training) => new()
    {
        Name = "random",
        Network = new NetworkSpec(
            sizes[0],
            [.. sizes.Skip(1).Select((units, layer) => new DenseSpec(units, layer == sizes.Count - 2 ? ActivationKind.Softmax : ActivationKind.Relu))]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e-4),
        Training = training with { EvaluateEvery = training.Epochs },
        Stages = [.. stages],
        CheckpointEverySteps = 0,
    };

    /// <summary>Microseconds of a step on the threads engine, the first third of the run apart.</summary>
    public static double MicrosecondsPerStep(RunSettings settings, RunData data, int threads)
    {
        long steps = settings.Training.Epochs * (long)(data.TrainRows / settings.Training.BatchSize);
        SteadySteps clock = new(steps / 3);
        RunOutcome outcome = new ThreadsEngine().Run(
            new RunRequest { Settings = settings, Data = data, ComputeThreads = threads }, clock, CancellationToken.None);
        return outcome.Status == RunStatus.Completed ? clock.MicrosecondsPerStep : throw new InvalidOperationException(outcome.Reason);
    }
}
