using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Conformance.Support;

/// <summary>A run of 1,000 mini-batch steps on more features than rows, by backpropagation and by front contribution.</summary>
internal sealed record FrontRun
{
    public const int TrainRows = 43;
    private const int Inputs = 60;
    private const int Classes = 4;

    public LayerSpec First { get; init; } = new DenseSpec(9, ActivationKind.Relu);

    public int HiddenLayers { get; init; } = 1;

    /// <summary>Layers behind the first, before the final one; null for <see cref="HiddenLayers"/> − 1 of about six units.</summary>
    public IReadOnlyList<LayerSpec>? Between { get; init; }

    public Collapse Collapse { get; init; }

    public double Momentum { get; init; } = 0.9;

    public int BatchSize { get; init; } = 8;

    public double LearningRate { get; init; } = 0.02;

    public ContributionForm Form { get; init; } = ContributionForm.Gram;

    public int Shares { get; init; } = 1;

    public bool Nesterov { get; init; }

    public bool Clips { get; init; }

    public int MicroBatches { get; init; } = 1;

    public int Epochs { get; init; } = 167;

    public int Features { get; init; } = Inputs;

    public Precision Precision { get; init; } = Precision.Float64;

    public ulong Seed { get; init; } = 3;

    public int Shards { get; init; } = 1;

    public int CheckpointEvery { get; init; }

    /// <summary>The run by backpropagation.</summary>
    public RunRequest Backprop => Request(new MethodSettings(Schedule: "sequential"));

    /// <summary>The run by front contribution.</summary>
    public RunRequest Front => Request(new MethodSettings("front-contribution") { Form = Form, Shares = Shares, Collapse = Collapse });

    private RunRequest Request(MethodSettings method)
    {
        IEnumerable<LayerSpec> between = Between
            ?? Enumerable.Range(1, HiddenLayers - 1).Select(layer => (LayerSpec)new DenseSpec(6 + layer, layer % 2 == 0 ? ActivationKind.Tanh : ActivationKind.Elu));
        LayerSpec[] hidden = [First, .. between];
        RunSettings settings = new()
        {
            Name = "front",
            Seed = Seed,
            Precision = Precision,
            Network = new NetworkSpec(Features, [.. hidden, new DenseSpec(Classes, ActivationKind.Softmax)]),
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, LearningRate)
            {
                Momentum = Momentum,
                Nesterov = Nesterov,
                WeightDecay = 1e-3,
                ClipNorm = Clips ? 0.5 : null,
                Schedule = LearningRateSchedule.Cosine,
            },
            Training = new TrainingSettings(Epochs, BatchSize, MicroBatches) { EvaluateEvery = 50 },
            Method = method,
            Stages = [.. Enumerable.Repeat(1, hidden.Length + 1)],
            ParameterServer = new ParameterServerSettings { Shards = Shards },
            CheckpointEverySteps = CheckpointEvery,
        };
        return new RunRequest { Settings = settings, Data = SmallData.Classes(Precision, TrainRows, 20, Features, Classes), ComputeThreads = 2 };
    }
}
