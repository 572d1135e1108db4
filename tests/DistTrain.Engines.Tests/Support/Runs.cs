using DistTrain.Conformance.Support;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Tests.Support;

/// <summary>A small run that the tests of this project change as they need: three layers, 12 steps in 3 epochs.</summary>
internal static class Runs
{
    public static RunSettings Settings { get; } = new()
    {
        Name = "small",
        Network = new NetworkSpec(
            7, [new DenseSpec(9, ActivationKind.Tanh), new DenseSpec(6, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 },
        Training = new TrainingSettings(3, 10, 2),
        Stages = [1, 1, 1],
    };

    public static RunRequest Of(Func<RunSettings, RunSettings>? change = null)
    {
        RunSettings settings = change?.Invoke(Settings) ?? Settings;
        return new RunRequest
        {
            Settings = settings,
            Data = SmallData.Classes(settings.Precision, 38, 12, settings.Network.Inputs, 5),
            ComputeThreads = 2,
        };
    }
}
