using System.Runtime.InteropServices;
using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>Where a method must be backpropagation it is, bit for bit; and what a stage carries outlives every actor.</summary>
public sealed class MethodIdentityTests
{
    private const int Inputs = 7, Classes = 5, Rows = 36, Batch = 6;

    private static readonly NetworkSpec Deep = new(
        Inputs,
        [
            new DenseSpec(9, ActivationKind.Tanh), new DropoutSpec(0.2), new DenseSpec(8, ActivationKind.Prelu), new MaxoutSpec(6, 2),
            new DenseSpec(Classes, ActivationKind.Softmax),
        ]);

    private static readonly int[] FourStages = [2, 1, 1, 1];

    public static TheoryData<string> Carrying => ["delayed-gradient", "features-replay", "synthetic-gradient"];

    public static TheoryData<string> Methods => [.. DrawnMethod.Names];

    [Theory]
    [InlineData("delayed-gradient")]
    [InlineData("features-replay")]
    public void WithoutDelayADelayedMethodIsBackpropagation(string method)
    {
        string backprop = Bits.Of(Trainers.RunSequentially(Run(new MethodSettings(), FourStages)));
        foreach (string engine in Trainers.EngineNames)
        {
            Bits.Of(Trainers.Run(engine, Run(new MethodSettings(method) { DelaySteps = 0 }, FourStages))).ShouldBe(backprop, engine);
            Bits.Of(Trainers.Run(engine, Run(new MethodSettings(method), [5]))).ShouldBe(backprop, engine);
        }

        Bits.Of(Trainers.RunSequentially(Run(new MethodSettings(method), FourStages))).ShouldNotBe(backprop, "a delay changes the run");
    }

    [Fact]
    public void WithTheTransposedWeightsFeedbackAlignmentIsBackpropagation()
    {
        string backprop = Bits.Of(Trainers.RunSequentially(Run(new MethodSettings(), FourStages)));
        MethodSettings transposed = new("feedback-alignment") { Feedback = FeedbackKind.Transposed };
        foreach (string engine in Trainers.EngineNames)
        {
            Bits.Of(Trainers.Run(engine, Run(transposed, FourStages))).ShouldBe(backprop, engine);
        }

        Bits.Of(Trainers.RunSequentially(Run(transposed with { Feedback = FeedbackKind.Random }, FourStages))).ShouldNotBe(backprop);
    }

    [Theory]
    [InlineData("delayed-gradient")]
    [InlineData("features-replay")]
    public void BeforeItsFirstSignalAStageDoesNotUpdate(string method)
    {
        // Stage 0 of four hears of batch 1 at step 4; weight decay would move it before.
        foreach ((int batches, bool moves) in ((int, bool)[])[(3, false), (4, true)])
        {
            RunRequest request = Run(new MethodSettings(method), FourStages, rows: batches * Batch, epochs: 1);
            double[] first = new double[9 * Inputs];
            ParameterInitializer.Fill(Deep, new ParameterSpec("layers.0.weight", 0, 9, Inputs), request.Settings.Seed, first.AsSpan());
            foreach (string engine in Trainers.EngineNames)
            {
                byte[] last = Trainers.Run(engine, request).Parameters.Single(parameter => parameter.Spec.Name == "layers.0.weight").Values;
                MemoryMarshal.Cast<byte, double>(last).SequenceEqual(first).ShouldBe(!moves, $"{engine}, {batches} steps");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void EveryActorMayBeRestartedBetweenAnyTwoSteps(string method)
    {
        RunRequest calm = Run(Settings(method), FourStages, epochs: method == "greedy" ? 4 : 2);
        RunPlan plan = new(calm.Settings, calm.Data.TrainRows, calm.Data.TestRows);
        string expected = Bits.Of(Trainers.RunSequentially(calm));
        for (long step = 2; step <= plan.TotalSteps; step += 3)
        {
            FaultTime now = FaultTime.AtStep(step);
            Fault[] everybody = [.. Enumerable.Range(1, plan.Topology.Count - 1).Select(index => new CrashFault(new ActorId(index), TimeSpan.Zero) { At = now })];
            RunOutcome outcome = Trainers.Run(SimulatedEngine.EngineName, calm with { Faults = everybody });
            outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
            outcome.Restarts.ShouldBeGreaterThan(0);
            Bits.Of(outcome).ShouldBe(expected, $"everybody dies at step {step}");
        }
    }

    [Theory]
    [MemberData(nameof(Carrying))]
    public void WhatAStageCarriesIsThereForEveryActorThatComesBack(string method)
    {
        RunRequest calm = Run(Settings(method), FourStages);
        RunPlan plan = new(calm.Settings, calm.Data.TrainRows, calm.Data.TestRows);
        plan.Stages.Sum(stage => stage.Carried.Count).ShouldBeGreaterThan(0);
        string expected = Bits.Of(Trainers.RunSequentially(calm));

        // Shards too: the one that lives goes back to the snapshot of the one that died.
        for (int actor = 1; actor < plan.Topology.Count; actor++)
        {
            for (long step = 2; step <= plan.TotalSteps; step++)
            {
                Fault[] one = [new CrashFault(new ActorId(actor), TimeSpan.Zero) { At = FaultTime.AtStep(step) }];
                RunOutcome outcome = Trainers.Run(SimulatedEngine.EngineName, calm with { Faults = one });
                Bits.Of(outcome).ShouldBe(expected, $"{plan.Topology.NameOf(new ActorId(actor))} dies at step {step}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void AStoppedRunGoesOnFromItsJournalToTheSameWeights(string method)
    {
        RunRequest request = Run(Settings(method), FourStages, epochs: method == "greedy" ? 4 : 2);
        string expected = Bits.Of(Trainers.RunSequentially(request));
        foreach (string engine in Trainers.EngineNames)
        {
            for (long at = 1; at < 12; at += 2)
            {
                string folder = Directory.CreateTempSubdirectory("disttrain-").FullName;
                try
                {
                    using CancellationTokenSource stop = new();
                    RunRequest kept = request with { JournalFolder = folder };
                    RunOutcome stopped = Trainers.Run(engine, kept, new Observed { AtStep = step => CancelAt(at, step, stop) }, stop.Token);
                    RunOutcome resumed = Trainers.Run(engine, kept with { ResumeFromStep = stopped.Steps });
                    resumed.Status.ShouldBe(RunStatus.Completed, resumed.Reason);
                    Bits.Of(resumed).ShouldBe(expected, $"{engine}, stopped at step {stopped.Steps}");
                }
                finally
                {
                    Directory.Delete(folder, recursive: true);
                }
            }
        }
    }

    private static void CancelAt(long wanted, long step, CancellationTokenSource stop)
    {
        if (step == wanted)
        {
            stop.Cancel();
        }
    }

    private static MethodSettings Settings(string method) => new(method) { DelaySteps = method == "synthetic-gradient" ? 2 : null, Hidden = [4] };

    private static RunRequest Run(MethodSettings method, IReadOnlyList<int> stages, int rows = Rows, int epochs = 2) => new()
    {
        Settings = new RunSettings
        {
            Name = method.Name,
            Seed = 5,
            Precision = Precision.Float64,
            Network = Deep,
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.05) { Momentum = 0.9, WeightDecay = 0.01 },
            Training = new TrainingSettings(epochs, Batch, 1, Shuffle: true),
            Method = method,
            Stages = stages,
            ParameterServer = new ParameterServerSettings { Shards = 2 },
            CheckpointEverySteps = 4,
        },
        ComputeThreads = 2,
        Data = SmallData.Classes(Precision.Float64, rows, 5, Inputs, Classes),
    };
}
