using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Sequential;

public sealed class SequentialTrainerTests
{
    // Small tensors are updated in one go, and large ones each by itself.
    [Theory]
    [InlineData(3)]
    [InlineData(2_000)]
    public void AnUpdateThatIsNotFiniteNamesTheTensor(int inputs)
    {
        // Inputs of 0 leave the weight where it is; the bias goes by 2e39.
        DataSet<float> rows = DataSet<float>.FromVectors("zeros", inputs, new float[4 * inputs], 1, [10, 10, 10, 10]);
        RunRequest request = new()
        {
            Settings = new RunSettings
            {
                Name = "diverges",
                Network = new NetworkSpec(inputs, [new DenseSpec(1, ActivationKind.Linear)]),
                Loss = LossKind.SquaredError,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e38),
                Training = new TrainingSettings(1, 4),
                Stages = [1],
                CheckpointEverySteps = 0,
            },
            Data = RunData.From(new TrainTest<float>(rows, null)),
        };
        RunOutcome outcome = SequentialTrainer.Run(request, new Observed());
        outcome.Status.ShouldBe(RunStatus.Diverged);
        outcome.Reason.ShouldBe("the update of step 1 is not finite; layers.0.bias was the first with values that are not finite");
    }

    [Theory]
    [InlineData(OptimizerKind.Sgd, 1e-2)]
    [InlineData(OptimizerKind.Sgd, 1e18)]
    [InlineData(OptimizerKind.AdaGrad, 1e-2)]
    [InlineData(OptimizerKind.RmsProp, 1e-2)]
    [InlineData(OptimizerKind.Adam, 1e-2)]
    [InlineData(OptimizerKind.AdaDelta, 1)]
    public void SmallTensorsUpdatedInOneGoHaveTheBitsOfShardsThatUpdateEach(OptimizerKind kind, double rate)
    {
        RunRequest request = Runs.Of(settings => settings with
        {
            Network = new NetworkSpec(7, [new DenseSpec(3, ActivationKind.Prelu), new DenseSpec(5, ActivationKind.Softmax)]),
            Stages = [1, 1],
            Optimizer = new OptimizerSpec(kind, rate) { Momentum = kind == OptimizerKind.Sgd ? 0.9 : 0, WeightDecay = 1e-3 },
        });
        RunOutcome plain = SequentialTrainer.Run(request, new Observed()), actors = new ThreadsEngine().Run(request, new Observed(), default);
        (plain.Status, plain.Steps).ShouldBe((actors.Status, actors.Steps));
        plain.Status.ShouldBe(rate > 1e10 ? RunStatus.Diverged : RunStatus.Completed);
        Bits.Of(plain).ShouldBe(Bits.Of(actors));
    }
}
