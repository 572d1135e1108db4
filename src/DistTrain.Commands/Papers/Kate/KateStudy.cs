using System.Runtime.InteropServices;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Sequential;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Papers.Kate;

/// <summary>One line of the result.</summary>
/// <param name="Name">What was trained.</param>
/// <param name="Paper">The paper's accuracy, where our sources state it.</param>
/// <param name="Accuracy">Ours, on the test documents.</param>
/// <param name="Loss">Reconstruction loss on the test documents in evaluation form; null for the supervised classifier.</param>
/// <param name="Epochs">Of the autoencoder, or of the supervised classifier.</param>
/// <param name="Time">Of training and reading out.</param>
internal sealed record KateResult(string Name, double? Paper, double Accuracy, double? Loss, int Epochs, TimeSpan Time);

/// <summary>
/// Trains autoencoders on documents without their classes and reads the codes with a softmax classifier (Chen and Zaki, "KATE:
/// K-Competitive Autoencoder for Text", KDD 2017).
/// </summary>
internal sealed class KateStudy(KateSettings settings, KateData data, IReadOnlyList<IEngine> engines, RunDisplay display, TimeProvider clock, CancellationToken stop)
{
    /// <summary>The k-competitive autoencoder.</summary>
    public KateResult Kate() => Read("KATE", 0.744, new KCompetitiveSpec(settings.Units, settings.K, settings.Alpha), settings.Epochs);

    /// <summary>The same without amplification, a k-sparse autoencoder.</summary>
    public KateResult KSparse() => Read("k-sparse (α = 0)", null, new KCompetitiveSpec(settings.Units, settings.K, 0), settings.Epochs);

    /// <summary>The same without competition.</summary>
    public KateResult Plain() => Read("plain autoencoder", 0.084, new DenseSpec(settings.Units, ActivationKind.Tanh), settings.Epochs);

    /// <summary>The plain autoencoder with more time.</summary>
    public KateResult PlainLonger() =>
        Read("plain, trained longer", null, new DenseSpec(settings.Units, ActivationKind.Tanh), settings.Epochs * settings.LongerFactor);

    /// <summary>A softmax classifier on the words themselves, trained with the classes.</summary>
    public KateResult Supervised()
    {
        long start = clock.GetTimestamp();
        double accuracy = ReadOut(data.Labelled, "softmax on the words");
        return new KateResult("softmax on the words, supervised", null, accuracy, null, settings.ReadOutEpochs, clock.GetElapsedTime(start));
    }

    private KateResult Read(string name, double? paper, LayerSpec encoder, int epochs)
    {
        long start = clock.GetTimestamp();
        NetworkSpec network = new(data.Words, [encoder, new DenseSpec(data.Words, ActivationKind.Sigmoid, TiedTo: 0)]);
        RunOutcome outcome = Train(new RunSettings
        {
            Name = name,
            Seed = settings.Seed,
            Network = network,
            Loss = LossKind.BinaryCrossEntropy,
            Optimizer = settings.Optimizer,
            Training = new TrainingSettings(epochs, Batch(data.Documents)) { EvaluateEvery = epochs },
            Stages = [network.Layers.Count],
            CheckpointEverySteps = 0,
        }, data.Documents);
        TrainTest<float> codes = Codes(network with { Layers = [encoder] }, outcome);
        return new KateResult(name, paper, ReadOut(codes, $"{name}, softmax on the codes"), outcome.TestLoss, epochs, clock.GetElapsedTime(start));
    }

    private double ReadOut(TrainTest<float> rows, string name) => Train(new RunSettings
    {
        Name = name,
        Seed = settings.Seed,
        Network = new NetworkSpec(rows.Train.Inputs, [new DenseSpec(data.Classes, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = settings.ReadOutOptimizer,
        Training = new TrainingSettings(settings.ReadOutEpochs, Batch(rows)) { EvaluateEvery = settings.ReadOutEpochs },
        Stages = [1],
        CheckpointEverySteps = 0,
    }, rows).TestAccuracy ?? 0;

    private RunOutcome Train(RunSettings run, TrainTest<float> rows)
    {
        RunRequest request = new() { Settings = run, Data = RunData.From(rows) };
        IEngine? engine = engines.FirstOrDefault(engine => engine.Refuses(request) is null);
        RunOutcome outcome = display.Show(run.Name, observer => engine is null
            ? SequentialTrainer.Run(request, observer, clock, stop)
            : engine.Run(request, new WithoutNotices(observer), stop));
        stop.ThrowIfCancellationRequested();
        return outcome.Status == RunStatus.Completed
            ? outcome
            : throw new InvalidInputException($"paper kate: {run.Name}: {outcome.Reason}");
    }

    private int Batch(TrainTest<float> rows) => Math.Min(settings.BatchSize, rows.Train.Rows);

    /// <summary>What the encoder gives in evaluation form, made mean 0 and deviation 1 on the training rows.</summary>
    private TrainTest<float> Codes(NetworkSpec encoder, RunOutcome trained)
    {
        Dictionary<string, byte[]> values = trained.Parameters.ToDictionary(parameter => parameter.Spec.Name, parameter => parameter.Values);
        using ModelRunner<float> runner = new(encoder, null, name => MemoryMarshal.Cast<byte, float>(values[name]));
        double[][] train = runner.Outputs(data.Documents.Train), test = runner.Outputs(data.Documents.Test!);
        CodeScaling scaling = CodeScaling.Fit(train);
        return new TrainTest<float>(Labelled(train, scaling, data.Labelled.Train), Labelled(test, scaling, data.Labelled.Test!));
    }

    private DataSet<float> Labelled(double[][] codes, CodeScaling scaling, DataSet<float> labels) => DataSet<float>.FromLabels(
        "codes", codes[0].Length, scaling.Apply(codes), [.. Enumerable.Range(0, codes.Length).Select(labels.LabelOf)], data.Classes);

    /// <summary>Drops notices of snapshots: these runs are not resumed.</summary>
    private sealed class WithoutNotices(IRunObserver inner) : IRunObserver
    {
        public void OnStep(in StepProgress step) => inner.OnStep(step);

        public void OnEpoch(EpochProgress epoch) => inner.OnEpoch(epoch);

        public void OnNotice(string text)
        {
        }
    }
}
