using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Processes;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Processes;

/// <summary>With a log no step that was committed is committed again, whichever process is killed, and the weights are those of the plain loop.</summary>
public sealed class DurableProcessesTests
{
    [SkippableTheory]
    [InlineData("worker-1", 3, Durability.Step)]
    [InlineData("parameter-server-0", 7, Durability.Step)]
    [InlineData("parameter-server-1", 5, Durability.Power)]
    [InlineData("coordinator", 6, Durability.Step)]
    [InlineData("coordinator", 2, Durability.Power)]
    public void AKilledProcessCostsNoCommittedStep(string name, long at, Durability durability)
    {
        Skip.If(OperatingSystem.IsWindows(), "Processes are killed by signal.");
        RunRequest request = Request(durability);
        Observed observed = new();
        long again = -1;
        RunOutcome outcome = ProcessesTests.ShouldGiveTheBitsOfThePlainLoop(request, workers: 2, observed, (run, step) =>
        {
            again = run.StepsCommittedAgain;
            if (step == at)
            {
                Signals.Kill(run, name);
            }
        });
        outcome.Restarts.ShouldBeGreaterThanOrEqualTo(1);
        again.ShouldBe(0);
        observed.Notices.ShouldContain(notice => notice.StartsWith(name, StringComparison.Ordinal) && notice.Contains("signal 9", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void KillingEveryProcessAtOnceCostsNoCommittedStep()
    {
        Skip.If(OperatingSystem.IsWindows(), "Processes are killed by signal.");
        long again = -1;
        ProcessesTests.ShouldGiveTheBitsOfThePlainLoop(Request(Durability.Step), workers: 2, new Observed(), (run, step) =>
        {
            again = run.StepsCommittedAgain;
            if (step == 7)
            {
                foreach ((string name, _) in run.Living)
                {
                    Signals.Kill(run, name);
                }
            }
        });
        again.ShouldBe(0);
    }

    /// <summary>
    /// The coordinator is stopped (SIGSTOP) until another has taken its place, and continued then, with whatever it was about to commit still in its hands. It finds
    /// that its log was taken over, and nobody listens to its epoch any more.
    /// </summary>
    [SkippableTheory]
    [InlineData(3)]
    [InlineData(6)]
    public void ACoordinatorThatWakesAfterItsReplacementCommitsNothing(long at)
    {
        Skip.IfNot(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Processes are stopped by signal.");
        RunRequest request = Request(Durability.Step);
        Observed observed = new();
        int stopped = 0;
        bool reachable = false;
        long again = -1, wokenAt = -1;
        RunOutcome outcome = ProcessRuns.Run(
            ProcessRuns.Readable(request, 2),
            observed,
            (run, step) =>
            {
                again = run.StepsCommittedAgain;
                if (step == at)
                {
                    string socket = SocketFolder.SocketOf(run.Folder, 0);
                    observed.AtNotice = text => reachable |= text.Contains("was left", StringComparison.Ordinal) && File.Exists(socket);
                    stopped = Signals.Stop(run, "coordinator");
                }
                else if (stopped > 0 && wokenAt < 0 && run.Living.Any(process => process.Name == "coordinator" && process.Id != stopped))
                {
                    // Steps that it had committed before the signal reached it are still reported while nobody has replaced it.
                    wokenAt = step;
                    Signals.Continue(stopped);
                }
            },
            TimeSpan.FromSeconds(3),
            sparesSilent: true);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        Bits.Of(outcome).ShouldBe(Bits.Of(Trainers.RunSequentially(request)));
        again.ShouldBe(0);
        wokenAt.ShouldBeGreaterThan(at);
        reachable.ShouldBeFalse("what is sent to a stopped process before its replacement listens is lost with it");
        observed.Notices.ShouldContain(notice => notice.StartsWith("coordinator", StringComparison.Ordinal) && notice.Contains("was left", StringComparison.Ordinal));
    }

    /// <summary>A scenario's crashes are kills, and its pauses stops: at steps and at times, of every role.</summary>
    [SkippableFact]
    public void FaultsOfAScenarioAreSignalsToProcesses()
    {
        Skip.IfNot(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Processes are stopped by signal.");
        RunRequest request = Request(Durability.Step);
        Topology topology = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
        Fault[] faults =
        [
            new CrashFault(topology.LayerActor(1, 1), TimeSpan.FromMilliseconds(100)) { At = FaultTime.AtStep(2) },
            new PauseFault(topology.Shard(0), TimeSpan.FromMilliseconds(300)) { At = FaultTime.AtStep(4) },
            new CrashFault(ActorId.Coordinator, TimeSpan.Zero) { At = FaultTime.AtStep(6) },
            new SuspicionFault(topology.LayerActor(0, 0)) { At = FaultTime.AtStep(9) },
            new CrashFault(topology.Shard(1), TimeSpan.Zero) { At = FaultTime.AfterTime(TimeSpan.FromMilliseconds(800)) },
        ];
        Observed observed = new();
        ProcessesTests.ShouldGiveTheBitsOfThePlainLoop(request, workers: 2, observed, faults: faults);
        observed.Faults.Count.ShouldBe(5);
        observed.Notices.Count(notice => notice.Contains("signal 9", StringComparison.Ordinal)).ShouldBe(3);
    }

    [SkippableFact]
    public void AProcessThatACrashTakesForGoodStopsTheRunByName()
    {
        Skip.If(OperatingSystem.IsWindows(), "Processes are killed by signal.");
        RunRequest request = Request(Durability.Step);
        request = request with
        {
            Settings = request.Settings with { Patience = TimeSpan.FromSeconds(2) },
            Faults = [new CrashFault(new ActorId(1), null) { At = FaultTime.AtStep(2) }],
        };
        RunOutcome outcome = ProcessRuns.Run(ProcessRuns.Readable(request, 2), new Observed());
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldContain("waited 00:00:02 for layer-0");
    }

    [Fact]
    public void SecondCopiesBesideALogAreRefusedByName()
    {
        RunRequest request = ProcessesTests.Base(settings => settings with
        {
            Durability = Durability.Step, ParameterServer = new ParameterServerSettings { Copies = 2 },
        });
        new ProcessesEngine(ProcessRuns.Program).Refuses(ProcessRuns.Readable(request, 1)).ShouldNotBeNull()
            .ShouldBe("parameter-server.copies: 2: all processes share a disk, whose log outlives each of them already; expected copies: 1, or durability: memory");
    }

    internal static RunRequest Request(Durability durability) => ProcessesTests.Base(settings => settings with
    {
        Replicas = 2,
        CheckpointEverySteps = 4,
        Durability = durability,
        ParameterServer = new ParameterServerSettings { Shards = 2 },
    });
}
