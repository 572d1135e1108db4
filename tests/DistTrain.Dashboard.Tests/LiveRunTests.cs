using DistTrain.Dashboard.Live;
using DistTrain.Dashboard.Pipelines;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;
using DistTrain.Engines.Tracing;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Dashboard.Tests;

public sealed class LiveRunTests
{
    [Fact]
    public void NothingIsRecordedUntilSomebodyLooksAndNoMoreStepsThanAPageShowsUntilTheNextLook()
    {
        RunPlan plan = Plan();
        LiveTrace trace = new(plan);
        trace.IsListening.ShouldBeFalse();
        trace.Pipeline().Spans.ShouldBeEmpty();
        int last = 1 + PipelineView.StepsShown + plan.StepsUncommittedMax;
        for (int step = 1; step <= last; step++)
        {
            trace.IsListening.ShouldBeTrue();
            Forward(trace, step, microBatch: 0);
            Forward(trace, step: 0, microBatch: -1);
        }

        trace.IsListening.ShouldBeFalse();
        Forward(trace, last + 1, microBatch: 0);
        PipelineView view = trace.Pipeline();
        (view.FirstStep, view.LastStep).ShouldBe((last - PipelineView.StepsShown, last - 1));
        trace.IsListening.ShouldBeTrue();
    }

    [Fact]
    public void OfAStepWithVeryManyJobsNoMoreIsRecordedThanABurstHolds()
    {
        LiveTrace trace = new(Plan());
        trace.Pipeline();
        for (int job = 0; job < Burst.Length; job++)
        {
            trace.IsListening.ShouldBeTrue();
            Forward(trace, step: 1, microBatch: job);
        }

        trace.IsListening.ShouldBeFalse();
        trace.Pipeline().Spans.Count.ShouldBe(PipelineView.SpansMax);
    }

    [Fact]
    public void TheLastStepsStayUntilTheNextOnesAreWhole()
    {
        LiveTrace trace = new(Plan());
        trace.Pipeline();
        for (int step = 1; trace.IsListening; step++)
        {
            Forward(trace, step, microBatch: 0);
        }

        long last = trace.Pipeline().LastStep;
        Forward(trace, step: 20_000, microBatch: 0);
        trace.Pipeline().LastStep.ShouldBe(last);
    }

    [Fact]
    public void WaitsOfTheThreadsEngineAreDividedByLock()
    {
        LiveRun run = new("run", _ => { });
        PipelineView? seen = null;
        Observer observer = new(_ => seen = run.Pipeline() is { Shares.Count: > 0, LastStep: > 5 } view ? view : seen);
        new ThreadsEngine().Run(run.Watch(Request(epochs: 30)), observer, CancellationToken.None);
        seen.ShouldNotBeNull();
        seen.Shares.Select(row => row.Actor).ShouldBe(["layer-0", "layer-1"]);
        seen.Waits.Select(wait => wait.Share).Distinct().ShouldBeSubsetOf(["forward lock", "update lock", "backward lock", "parameters"]);

        // The first layer waits for signals, and the last one for nobody's.
        (seen.Shares[0].UpdateLock + seen.Shares[0].BackwardLock).ShouldBeGreaterThan(0);
        (seen.Shares[1].UpdateLock + seen.Shares[1].BackwardLock).ShouldBe(0);
        seen.Shares[1].ForwardLock.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void AnActorCrashedByHandComesBackAndMessagesToNobodyAreCountedAsLost()
    {
        LiveRun run = new("run", _ => { });
        ActorsView? last = null;
        bool isCrashed = false;
        Observer observer = new(step =>
        {
            if (!isCrashed && step.Step >= 20 && run.Begin("crash", actor: 1, peer: null) is null)
            {
                isCrashed = true;
                run.Begin("cut", actor: 1, peer: 2)!.ShouldContain("engine threads does not serve 'link' faults");
                run.Begin("cut", actor: 1, peer: null)!.ShouldContain("there is no fault 'cut' of an actor");
                run.Begin("crash", actor: 99, peer: null)!.ShouldContain("there is no actor 99");
            }

            last = run.Actors();
        });
        RunOutcome disturbed = new ThreadsEngine().Run(run.Watch(Request(epochs: 30)), observer, CancellationToken.None);
        RunOutcome calm = new ThreadsEngine().Run(Request(epochs: 30), new Observer(_ => { }), CancellationToken.None);
        last!.Actors[1].Incarnation.ShouldBe(2);
        last.Faults.Select(fault => fault.Name).ShouldBe(["crash", "pause", "slow", "suspect", "cut"]);
        last.Actors[1].Refused.Select(reason => reason.Length > 0).ShouldBe([false, false, false, false, true]);
        last.Links.ShouldContain(link => link.From == 1 && link.To == 2 && link.Messages > 20 && link.Bytes > 0);
        disturbed.Parameters.Select(parameter => parameter.Values).ShouldBe(calm.Parameters.Select(parameter => parameter.Values));
    }

    [Fact]
    public void ALinkCutByHandLosesMessagesAndTheRunEndsWithTheSameWeights()
    {
        LiveRun run = new("run", _ => { });
        ActorsView? last = null;
        Observer observer = new(step =>
        {
            if (step.Step == 20)
            {
                run.Begin("cut", actor: 1, peer: 2).ShouldBeNull();
                run.Begin("slow", actor: 2, peer: null).ShouldBeNull();
                run.Begin("pause", actor: 2, peer: null)!.ShouldContain("engine simulated does not serve 'pause' faults");
            }

            last = run.Actors();
        });
        RunOutcome disturbed = new SimulatedEngine().Run(run.Watch(Request(epochs: 4)), observer, CancellationToken.None);
        RunOutcome calm = new SimulatedEngine().Run(Request(epochs: 4), new Observer(_ => { }), CancellationToken.None);
        last!.Links.Where(link => link.Lost > 0).Select(link => (link.From, link.To)).ShouldBe([(1, 2)]);
        observer.Faults.Count.ShouldBe(2);
        disturbed.Virtual!.Value.ShouldBeGreaterThan(calm.Virtual!.Value);
        disturbed.Parameters.Select(parameter => parameter.Values).ShouldBe(calm.Parameters.Select(parameter => parameter.Values));
    }

    private static RunPlan Plan()
    {
        RunRequest request = Request();
        return new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
    }

    private static void Forward(LiveTrace trace, long step, int microBatch) =>
        trace.OnSpan(new TraceSpan(new ActorId(1), 0, step * 1000, (step * 1000) + 500, JobKind.Forward, step, microBatch, step - 1));

    private static RunRequest Request(int epochs = 1)
    {
        TrainTest<float> data = DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Blobs), ".", seed: 1);
        return new RunRequest
        {
            Data = RunData.From(data),
            Settings = new RunSettings
            {
                Name = "run",
                Network = new NetworkSpec(data.Train.Inputs, [new DenseSpec(8, ActivationKind.Relu), new DenseSpec(3, ActivationKind.Softmax)]),
                Stages = [1, 1],
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.05),
                Training = new TrainingSettings(epochs, BatchSize: 32, MicroBatches: 4) { EvaluateEvery = epochs },
            },
        };
    }

    private sealed class Observer(Action<StepProgress> onStep) : IRunObserver
    {
        public List<string> Faults { get; } = [];

        public void OnStep(in StepProgress step) => onStep(step);

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }

        public void OnFault(string fault, TimeSpan elapsed) => Faults.Add(fault);
    }
}
