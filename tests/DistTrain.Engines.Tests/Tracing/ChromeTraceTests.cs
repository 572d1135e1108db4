using System.Text.Json;
using DistTrain.Conformance.Support;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Tracing;

public sealed class ChromeTraceTests
{
    [Theory]
    [InlineData("backprop")]
    [InlineData("front-contribution")]
    [InlineData("local-loss")]
    public void ASimulatedRunsTraceIsWellFormedWithAnArrowForEveryMessage(string method)
    {
        RunRequest request = Request(method) with { Simulation = new SimulationSettings { Jitter = TimeSpan.FromMilliseconds(1), Drop = 0.05, Duplicate = 0.05 } };
        ChromeTrace trace = new(PlanOf(request), PlanOf(request).Topology.Count);
        new SimulatedEngine().Run(request with { Trace = trace }, new Observed(), default).Status.ShouldBe(RunStatus.Completed);
        CheckedTrace read = CheckedTrace.Of(trace);
        read.Jobs.ShouldBeGreaterThan(50);
        read.Flows.ShouldBeGreaterThan(50);
        read.Waits.ShouldBeGreaterThan(method == "front-contribution" ? 0 : 10);
        read.Processes.ShouldBe(PlanOf(request).Topology.Count);
        read.Threads.ShouldContain("layer-1");
        read.Threads.ShouldContain("parameter-server");
        trace.LeftOut.ShouldBe(0);
        read.Note.ShouldBeNull();
    }

    [Fact]
    public void ARunOnThreadsIsTracedInOneProcess()
    {
        RunRequest request = Request("backprop");
        ChromeTrace trace = new(PlanOf(request), nodes: 1);
        new ThreadsEngine().Run(request with { Trace = trace }, new Observed(), default).Status.ShouldBe(RunStatus.Completed);
        CheckedTrace read = CheckedTrace.Of(trace);
        read.Jobs.ShouldBeGreaterThan(50);
        read.Flows.ShouldBeGreaterThan(50);
        read.Processes.ShouldBe(1);
    }

    [Fact]
    public void BeyondItsLimitATraceSaysHowMuchItLeavesOut()
    {
        RunRequest request = Request("backprop");
        ChromeTrace trace = new(PlanOf(request), nodes: 1, eventsMax: 100);
        new SimulatedEngine().Run(request with { Trace = trace }, new Observed(), default);
        CheckedTrace read = CheckedTrace.Of(trace);
        (read.Jobs + read.Flows + read.Waits).ShouldBe(100);
        read.Note!.ShouldContain($"{trace.LeftOut} more jobs, waits and messages are left out");
    }

    private static RunRequest Request(string method) => Runs.Of(settings => settings with { Method = new MethodSettings(method) });

    private static RunPlan PlanOf(RunRequest request) => new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
}
