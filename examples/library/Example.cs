using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace MyTraining;

/// <summary>Builds a network and trains it with actors, from code.</summary>
public static class Example
{
    /// <summary>Learns which of three clusters points of the plane belong to; returns how the run ended.</summary>
    public static RunOutcome Train()
    {
        TrainTest<float> data = DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Blobs), baseFolder: ".", seed: 1);
        RunRequest request = new()
        {
            Data = RunData.From(data),
            Settings = new RunSettings
            {
                Name = "clusters",
                Network = new NetworkSpec(data.Train.Inputs, [new DenseSpec(16, ActivationKind.Relu), new DenseSpec(3, ActivationKind.Softmax)]),
                Stages = [1, 1],                        // a layer actor for each layer
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, LearningRate: 0.1),
                Training = new TrainingSettings(Epochs: 5, BatchSize: 32, MicroBatches: 4),
            },
        };

        // The outcome holds accuracy, messages sent and the trained parameters.
        return new ThreadsEngine().Run(request, new Progress(), CancellationToken.None);
    }

    private sealed class Progress : IRunObserver
    {
        public void OnStep(in StepProgress step)
        {
        }

        public void OnEpoch(EpochProgress epoch) => Console.WriteLine($"epoch {epoch.Epoch}: test accuracy {epoch.TestAccuracy:P1}");

        public void OnNotice(string text) => Console.WriteLine(text);
    }
}
