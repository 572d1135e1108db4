using System.Globalization;
using System.Runtime.InteropServices;
using DistTrain.Conformance.Chaos;
using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Shared.Front;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>Front contribution by actors: the bits of the plain loop, whoever dies, and nobody is asked while the
/// final-layer actor trains alone.</summary>
public sealed class FrontContributionActorsTests
{
    private const int Steps = 24;
    private static readonly FrontRun Short = new() { Epochs = 4, HiddenLayers = 3, Shares = 3, Shards = 2, CheckpointEvery = 5 };

    private static readonly FrontRun Collapsed = Short with { Collapse = Collapse.All, Between = [new DenseSpec(25, ActivationKind.Elu), new DenseSpec(12, ActivationKind.Tanh)] };

    public static TheoryData<string> Cases => [.. FrontContributionTests.Runs.Keys];

    public static TheoryData<string> Engines => [.. Trainers.EngineNames];

    [Theory]
    [MemberData(nameof(Cases))]
    public void ActorsGiveTheBitsOfThePlainLoopAndAreSilentMeanwhile(string name)
    {
        foreach (string engine in Trainers.EngineNames)
        {
            foreach (Precision precision in (Precision[])[Precision.Float64, Precision.Float32])
            {
                RunRequest request = (FrontContributionTests.Runs[name] with { Epochs = 4, Precision = precision, Shards = 3 }).Front;
                Observed plain = new(), actors = new();
                RunOutcome expected = Trainers.RunSequentially(request, plain), outcome = Trainers.Run(engine, request, actors);
                outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
                Bits.Of(outcome).ShouldBe(Bits.Of(expected));
                actors.Steps.Select(step => step.Loss).ShouldBe(plain.Steps.Select(step => step.Loss));
                actors.Epochs.Select(epoch => epoch.TestLoss).ShouldBe(plain.Epochs.Select(epoch => epoch.TestLoss));
                (outcome.TestAccuracy, outcome.TrainAccuracy).ShouldBe((expected.TestAccuracy, expected.TrainAccuracy));
                ShouldHaveTrainedAlone(outcome, times: 1);
            }
        }
    }

    [Theory]
    [InlineData(ContributionForm.Gram)]
    [InlineData(ContributionForm.Basis)]
    public void AVelocityIsExpandedWhereSomebodyCanGoOnFromItAndOnlyThere(ContributionForm form)
    {
        RunRequest request = new FrontRun { Epochs = 2, Form = form }.Front;
        LastSnapshot(request).Keys.ShouldContain("optimizer/layers.0.expanded");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-front-");
        try
        {
            RunOutcome kept = new ThreadsEngine().Run(request with { JournalFolder = folder.FullName }, new Observed(), default);
            RunOutcome forgotten = new ThreadsEngine().Run(request, new Observed(), default);
            Bits.Of(forgotten).ShouldBe(Bits.Of(kept));

            // It would be sent with the expanded weights, and is as large.
            long weights = kept.Parameters.Single(parameter => parameter.Spec.Name == "layers.0.weight").Values.Length;
            (kept.BytesSent - forgotten.BytesSent).ShouldBe(weights);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(Collapse.Input)]
    [InlineData(Collapse.All)]
    public void EveryOtherLayerActorMayDieRightAfterContributeAndComeBackForExpand(Collapse collapse)
    {
        RunRequest request = Run(collapse).Front;
        Topology topology = PlanOf(request).Topology;
        topology.LayerActors.ShouldBe(6);
        ActorId[] others = [.. Enumerable.Range(1, topology.LayerActors).Select(index => new ActorId(index)).Where(actor => actor != FinalActor(request))];
        RunOutcome outcome = ShouldGiveTheBitsOfThePlainLoop(request, (step, run) =>
        {
            if (step == 1)
            {
                Array.ForEach(others, run.Crash);
            }
        });
        ShouldHaveTrainedAlone(outcome, times: 1);
        outcome.StepsRedone.ShouldBe(0);
        outcome.Restarts.ShouldBe(1, "one epoch brings them all back, for the expansion");
    }

    [Theory]
    [InlineData(ContributionForm.Gram, Collapse.Input)]
    [InlineData(ContributionForm.Basis, Collapse.Input)]
    [InlineData(ContributionForm.Gram, Collapse.All)]
    [InlineData(ContributionForm.Basis, Collapse.All)]
    public void AnyActorMayDieAtAnyStep(ContributionForm form, Collapse collapse)
    {
        RunRequest request = (Run(collapse) with { Form = form, Shares = form == ContributionForm.Gram ? 2 : 1, Clips = true }).Front;
        int actors = PlanOf(request).Topology.Count;
        for (int actor = 1; actor < actors; actor++)
        {
            foreach (long at in (long[])[1, 7, Steps])
            {
                ShouldGiveTheBitsOfThePlainLoop(request, (step, run) =>
                {
                    if (step == at)
                    {
                        run.Crash(new ActorId(actor));
                    }
                });
            }
        }
    }

    [Fact]
    public void AfterTheLossOfTheFinalLayerActorEverythingIsContributedAgain()
    {
        RunRequest request = Short.Front;
        RunOutcome outcome = ShouldGiveTheBitsOfThePlainLoop(request, (step, run) =>
        {
            if (step == 9)
            {
                run.Crash(FinalActor(request));
            }
        });
        ShouldHaveTrainedAlone(outcome, times: 2);
        outcome.StepsRedone.ShouldBeLessThanOrEqualTo(2);
    }

    [Theory]
    [InlineData(5, Collapse.Input)]
    [InlineData(1, Collapse.Input)] // A checkpoint of the step that the run stops at exists already, without the expanded weights.
    [InlineData(5, Collapse.All)]
    [InlineData(1, Collapse.All)]
    public void AStoppedRunHasTheExpandedWeightsOfItsStepAndAResumedOneEndsWithTheSameWeights(int checkpointEvery, Collapse collapse)
    {
        RunRequest request = (Run(collapse) with { CheckpointEvery = checkpointEvery }).Front;
        string reference = Bits.Of(Trainers.RunSequentially(request));
        foreach (long stopAt in (long[])[1, 8, 17])
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-front-");
            try
            {
                // Without a folder a checkpoint is complete before the weights are expanded, with one while they are.
                RunOutcome unkept = StopAt(stopAt, request);
                Bits.Of(unkept).ShouldBe(Bits.Of(StoppedSequentially(unkept.Steps, request)));

                RunRequest kept = request with { JournalFolder = folder.FullName };
                RunOutcome stopped = StopAt(stopAt, kept);
                stopped.Status.ShouldBe(RunStatus.Stopped);
                stopped.Steps.ShouldBeLessThan(Steps);
                Bits.Of(stopped).ShouldBe(Bits.Of(StoppedSequentially(stopped.Steps, request)));
                Journal.LastSnapshotStep(folder.FullName).ShouldBe(stopped.Steps);
                RunOutcome resumed = new ThreadsEngine().Run(kept with { ResumeFromStep = stopped.Steps }, new Observed(), default);
                resumed.Status.ShouldBe(RunStatus.Completed, resumed.Reason);
                Bits.Of(resumed).ShouldBe(reference);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    [Theory]
    [InlineData(Collapse.Input)]
    [InlineData(Collapse.All)]
    public void ARunGoesOnFromASnapshotThatWasTakenWhileItTrainedAlone(Collapse collapse)
    {
        RunRequest request = Run(collapse).Front;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-front-");
        try
        {
            RunRequest kept = request with { JournalFolder = folder.FullName };
            string reference = Bits.Of(new ThreadsEngine().Run(kept, new Observed(), default));
            folder.GetDirectories("step-*").OrderBy(step => step.Name, StringComparer.Ordinal).Last().Delete(recursive: true);
            long step = Journal.LastSnapshotStep(folder.FullName).ShouldNotBeNull();
            step.ShouldBeInRange(1, Steps - 1);
            RunOutcome resumed = new ThreadsEngine().Run(kept with { ResumeFromStep = step }, new Observed(), default);
            resumed.Status.ShouldBe(RunStatus.Completed, resumed.Reason);
            Bits.Of(resumed).ShouldBe(reference);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(Collapse.Input)]
    [InlineData(Collapse.All)]
    public void TheLastSnapshotHasTheVelocitiesOfBackpropagation(Collapse collapse)
    {
        Dictionary<string, double[]> expected = LastSnapshot(Run(collapse).Backprop), actual = LastSnapshot(Run(collapse).Front);
        foreach (int layer in (int[])(collapse == Collapse.All ? [0, 1, 2] : [0]))
        {
            foreach (string part in (string[])["", "optimizer/"])
            {
                double[] reference = expected[$"{part}layers.{layer}.weight"], expanded = actual[$"{part}layers.{layer}.expanded"];
                expanded.Zip(reference).Max(pair => Math.Abs(pair.First - pair.Second)).ShouldBeLessThanOrEqualTo(1e-12, $"{part}{layer}");
                reference.Max(Math.Abs).ShouldBeGreaterThan(1e-4);
            }
        }
    }

    [Fact]
    public void AnotherMethodGoesOnFromTheExpandedWeights()
    {
        RunOutcome front = Trainers.RunSequentially(Collapsed.Front), backprop = Trainers.RunSequentially(Collapsed.Backprop);
        RunRequest byBackprop = From(front, Collapsed.Backprop), byFront = From(front, Collapsed.Front);
        double loss = Trainers.RunSequentially(byBackprop).FinalLoss;
        loss.ShouldBeLessThan(front.FinalLoss);
        loss.ShouldBe(Trainers.RunSequentially(From(backprop, Collapsed.Backprop)).FinalLoss, 1e-12);
        RunOutcome again = Trainers.RunSequentially(byFront);
        again.FinalLoss.ShouldBe(loss, 1e-12);
        Bits.Of(new ThreadsEngine().Run(byFront, new Observed(), default)).ShouldBe(Bits.Of(again));

        static RunRequest From(RunOutcome before, RunRequest request) => request with
        {
            InitialWeights = before.Parameters.ToDictionary(parameter => parameter.Spec.Name, parameter => parameter.Values, StringComparer.Ordinal),
        };
    }

    [Fact]
    public void ADivergedRunSaysSoAndHasTheWeightsBefore()
    {
        RunRequest request = Short.Front;
        request = request with { Settings = request.Settings with { Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e200) } };
        RunOutcome outcome = new ThreadsEngine().Run(request, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Diverged);
        outcome.Reason.ShouldContain("not finite");
    }

    [Fact]
    public void WhatDoesNotFitMemoryIsRefusedBeforeItStartsWithWhatWouldWork()
    {
        RunRequest request = (Short with { Shares = 1, Features = 17 }).Front;
        FrontMemory.Refuses(request, 1 << 20).ShouldBeNull();
        FrontMemory.Refuses((Short with { Shares = 1 }).Backprop, 1).ShouldBeNull();
        string problem = FrontMemory.Refuses(request, 20_000).ShouldNotBeNull();
        problem.ShouldStartWith("method.form: the Gram matrix of 43 training and 20 test rows");
        problem.ShouldContain("method.form: basis");
        problem.ShouldContain("at most 50 rows in all, or method backprop");
    }

    [Fact]
    public void HistoriesThatDoNotFitMemoryAreRefusedTooWithWhatWouldWork()
    {
        // Layers of 9 to 300 and 300 to 200: two versions of W0, U0, 9 or 300 rows and their coefficients, and W and its velocity beside.
        RunRequest request = (Collapsed with { Between = [new DenseSpec(300, ActivationKind.Elu), new DenseSpec(200, ActivationKind.Tanh)] }).Front;
        const long Contributed = sizeof(double) * 63 * (43 + 9);
        const long First = (3 * 9 * 300) + (9 * (9 + 300)) + 12, Second = (3 * 300 * 200) + (300 * (300 + 200)) + 303;
        FrontMemory.Refuses(request, Contributed + (2 * sizeof(double) * (First + Second))).ShouldBeNull();
        string problem = FrontMemory.Refuses(request, Contributed + (2 * sizeof(double) * (First + Second)) - 1).ShouldNotBeNull();
        problem.ShouldStartWith("method.collapse: the histories of 2 layers take 0.0 GiB");
        problem.ShouldContain("expected input, narrower layers, or method backprop");
        FrontMemory.Refuses((Short with { Between = Collapsed.Between }).Front, Contributed).ShouldBeNull();
    }

    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(0.004, 0.0)]
    [InlineData(0.002, 0.002)]
    public void LossReorderingAndDeathsChangeNoBit(double layerActorCrash, double shardCrash)
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            RunRequest request = (Collapsed with
            {
                Seed = seed,
                Epochs = 2,
                Shares = (int)(seed % 3) + 1,
                Clips = seed % 2 == 0,
                Form = seed % 6 == 0 ? ContributionForm.Basis : ContributionForm.Gram,
                Collapse = seed % 4 < 2 ? Collapse.All : Collapse.Input,
            }).Front;
            ChaosFaults faults = new() { Seed = seed, LayerActorCrash = layerActorCrash, ShardCrash = shardCrash, FalseSuspicion = layerActorCrash / 4 };
            using ChaosRun run = new(request, faults, new Observed());
            ChaosAccount account = run.ToEnd();
            string what = string.Create(CultureInfo.InvariantCulture, $"seed {seed}");
            account.Outcome.Status.ShouldBe(RunStatus.Completed, $"{what}: {account.Outcome.Reason}");
            account.LiveBuffers.ShouldBe(0, what);
            Bits.Of(account.Outcome).ShouldBe(Bits.Of(Trainers.RunSequentially(request)), what);
        }
    }

    private static FrontRun Run(Collapse collapse) => collapse == Collapse.All ? Collapsed : Short;

    private static RunOutcome ShouldGiveTheBitsOfThePlainLoop(RunRequest request, Action<long, ThreadsRun> atStep)
    {
        string reference = Bits.Of(Trainers.RunSequentially(request));
        ThreadsRun? current = null;
        using ThreadsRun run = new(request, new Observed { AtStep = step => atStep(step, current!) }, TimeProvider.System);
        current = run;
        RunOutcome outcome = run.ToEnd(default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        Bits.Of(outcome).ShouldBe(reference);
        return outcome;
    }

    private static void ShouldHaveTrainedAlone(RunOutcome outcome, int times)
    {
        FrontContributionOutcome front = outcome.FrontContribution.ShouldNotBeNull();
        front.TimesAlone.ShouldBe(times);
        front.MessagesWhileAlone.ShouldBe(0);
        outcome.MessagesByType.Select(pair => pair.Key).ShouldNotContain("activation");
        outcome.MessagesByType.Select(pair => pair.Key).ShouldContain("contributed-tile");
    }

    private static RunOutcome StopAt(long step, RunRequest request)
    {
        using CancellationTokenSource stop = new();
        Observed observed = new()
        {
            AtStep = now =>
            {
                if (now == step)
                {
                    stop.Cancel();
                }
            },
        };
        return new ThreadsEngine().Run(request, observed, stop.Token);
    }

    private static RunOutcome StoppedSequentially(long step, RunRequest request)
    {
        using CancellationTokenSource stop = new();
        Observed observed = new()
        {
            AtStep = now =>
            {
                if (now == step)
                {
                    stop.Cancel();
                }
            },
        };
        return SequentialTrainer.Run(request, observed, stop: stop.Token);
    }

    private static Dictionary<string, double[]> LastSnapshot(RunRequest request)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-front-");
        try
        {
            RunOutcome outcome = new ThreadsEngine().Run(request with { JournalFolder = folder.FullName }, new Observed(), default);
            outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
            return folder.GetDirectories("step-*").OrderBy(step => step.Name, StringComparer.Ordinal).Last().GetFiles("slice-*")
                .SelectMany(file => SafetensorsFile.Read(file.FullName).Tensors)
                .ToDictionary(tensor => tensor.Name, tensor => MemoryMarshal.Cast<byte, double>(tensor.Data.Span).ToArray(), StringComparer.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static RunPlan PlanOf(RunRequest request) => new(request.Settings, request.Data.TrainRows, request.Data.TestRows);

    private static ActorId FinalActor(RunRequest request) => PlanOf(request).Participants[0];
}
