using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Processes;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Processes;

/// <summary>
/// Runs in child processes give the bits of the plain loop. Each start of a process costs some tenths of a second, so here is a fixed
/// selection of what the other engines go through in thousands of runs.
/// </summary>
public sealed class ProcessesTests
{
    public static TheoryData<string, int> Selection
    {
        get
        {
            TheoryData<string, int> all = new() { { "backprop", 1 }, { "backprop", 2 }, { "backprop", 3 } };
            for (int index = 0; index < DrawnMethod.Names.Count; index++)
            {
                all.Add(DrawnMethod.Names[index], 1 + (index % 3));
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Selection))]
    public void SynchronousMethodsGiveTheBitsOfThePlainLoop(string method, int workers)
    {
        RunRequest request = method == "backprop" ? DrawnRun.Of((ulong)(1_000 + workers)) : DrawnMethod.Of(method, 7_001);
        ShouldGiveTheBitsOfThePlainLoop(request, workers);
    }

    [Fact]
    public void ReplicasAndShardsGiveTheSameBits() => ShouldGiveTheBitsOfThePlainLoop(
        Base(settings => settings with { Replicas = 2, ParameterServer = new ParameterServerSettings { Shards = 3 } }), workers: 2);

    [Fact]
    public void ClippingByTheWholeModelsNormGivesTheSameBits() => ShouldGiveTheBitsOfThePlainLoop(
        Base(settings => settings with
        {
            Optimizer = settings.Optimizer with { ClipNorm = 0.2 },
            ParameterServer = new ParameterServerSettings { Shards = 2 },
        }),
        workers: 3);

    [Fact]
    public void FrontContributionGivesTheSameBitsAndTrainsAlone()
    {
        RunRequest request = new FrontRun { Epochs = 6 }.Front;
        RunOutcome outcome = ShouldGiveTheBitsOfThePlainLoop(request, workers: 2);
        outcome.FrontContribution.ShouldNotBeNull().TimesAlone.ShouldBe(1);
        outcome.FrontContribution.MessagesWhileAlone.ShouldBe(0);
    }

    [Fact]
    public void SharesOfTheFeaturesGiveTheSameBits() =>
        ShouldGiveTheBitsOfThePlainLoop(new FrontRun { Epochs = 4, Shares = 2, Shards = 2 }.Front, workers: 3);

    [Fact]
    public void ARunStopsAtACommittedStepAndGoesOnToTheSameBits()
    {
        DirectoryInfo journal = Directory.CreateTempSubdirectory("disttrain-conformance-");
        try
        {
            // Long enough that the request to stop, which has to pass from process to process, comes before the end.
            RunRequest request = Base(settings => settings with { Training = new TrainingSettings(500, 10, 2) { EvaluateEvery = 500 } }) with
            {
                JournalFolder = journal.FullName,
            };
            string reference = Bits.Of(Trainers.RunSequentially(request));
            using CancellationTokenSource stop = new();
            RunOutcome stopped = ProcessRuns.Run(
                ProcessRuns.Readable(request, 2), new Observed { AtStep = step => Cancel(step >= 4, stop) }, stop: stop.Token);
            stopped.Status.ShouldBe(RunStatus.Stopped, stopped.Reason);
            stopped.Steps.ShouldBeInRange(4, 1_999);
            RunOutcome whole = ProcessRuns.Run(ProcessRuns.Readable(request, 2) with { ResumeFromStep = stopped.Steps }, new Observed());
            whole.Status.ShouldBe(RunStatus.Completed, whole.Reason);
            Bits.Of(whole).ShouldBe(reference);
        }
        finally
        {
            journal.Delete(recursive: true);
        }
    }

    [SkippableTheory]
    [InlineData("worker-1", 3)]
    [InlineData("parameter-server", 7)]
    [InlineData("coordinator", 6)]
    public void AProcessThatIsKilledIsStartedAgainAndNoBitChanges(string name, long at)
    {
        Skip.If(OperatingSystem.IsWindows(), "Processes are killed by signal.");
        RunRequest request = Base(settings => settings with { Replicas = 2, CheckpointEverySteps = 4 });
        Observed observed = new();
        RunOutcome outcome = ShouldGiveTheBitsOfThePlainLoop(request, workers: 2, observed, (run, step) => Kill(step == at, run, name));
        outcome.Restarts.ShouldBeGreaterThanOrEqualTo(1);
        observed.Notices.ShouldContain(notice => notice.StartsWith(name, StringComparison.Ordinal) && notice.Contains("signal 9", StringComparison.Ordinal));
    }

    /// <summary>Slices of 260 and 130 KB go through shared memory, and are computed with there. Several kills, so that some come while one is on its way.</summary>
    [SkippableTheory]
    [InlineData("worker-1")]
    [InlineData("parameter-server")]
    public void AProcessThatIsKilledWhileLargeTensorsAreOnTheirWayIsStartedAgainAndNoBitChanges(string name)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Shared memory without a name is Linux's.");
        RunRequest request = Base(settings => settings with
        {
            Replicas = 2,
            CheckpointEverySteps = 4,
            Network = new NetworkSpec(7, [new DenseSpec(8_192, ActivationKind.Tanh), new DenseSpec(5, ActivationKind.Softmax)]),
            Stages = [1, 1],
        });
        long[] at = [2, 5, 9];
        int kills = 0;
        RunOutcome outcome = ShouldGiveTheBitsOfThePlainLoop(
            request, workers: 2, atStep: (run, step) => Kill(kills < at.Length && step >= at[kills] && kills++ >= 0, run, name));
        outcome.Restarts.ShouldBeGreaterThanOrEqualTo(1);
    }

    [SkippableFact]
    public void AProcessThatHangsIsKilledAndStartedAgain()
    {
        Skip.IfNot(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Processes are stopped by signal.");
        RunRequest request = Base();
        Observed observed = new();
        RunOutcome outcome = ProcessRuns.Run(
            ProcessRuns.Readable(request, 2), observed, (run, step) => Stop(step == 5, run, "worker-0"), TimeSpan.FromSeconds(3));
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        Bits.Of(outcome).ShouldBe(Bits.Of(Trainers.RunSequentially(request)));
        observed.Notices.ShouldContain(notice => notice.StartsWith("worker-0", StringComparison.Ordinal) && notice.Contains("silent", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void AfterTheEndNoProcessAndNoFolderIsLeft()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Looks at /proc.");
        int[] ids = [];
        string folder = "";
        ProcessRuns.Run(ProcessRuns.Readable(Base(), 2), new Observed(), (run, step) =>
        {
            if (step == 2 && OperatingSystem.IsLinux())
            {
                (ids, folder) = ([.. run.Living.Select(process => process.Id)], run.Folder);
                File.GetUnixFileMode(folder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        });
        ids.Length.ShouldBe(4);
        ids.ShouldAllBe(id => !Directory.Exists($"/proc/{id}"));
        Directory.Exists(folder).ShouldBeFalse();
    }

    [Fact]
    public void AProcessThatNeverComesUpStopsTheRunWithWhatItSaid()
    {
        RunRequest request = ProcessRuns.Readable(Base(), 1) with { Experiment = "no experiment" };
        RunOutcome outcome = ProcessRuns.Run(request, new Observed());
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldContain("its fault is not passing");
        outcome.Reason.ShouldContain("Json");
    }

    internal static RunRequest Base(Func<RunSettings, RunSettings>? change = null)
    {
        RunSettings settings = new()
        {
            Name = "base",
            Network = new NetworkSpec(
                7, [new DenseSpec(9, ActivationKind.Tanh), new DropoutSpec(0.25), new DenseSpec(5, ActivationKind.Softmax)]),
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 },
            Training = new TrainingSettings(3, 10, 2),
            Stages = [2, 1],
        };
        return new RunRequest
        {
            Settings = change?.Invoke(settings) ?? settings,
            Data = SmallData.Classes(Numerics.Precision.Float32, 33, 12, 7, 5),
        };
    }

    internal static RunOutcome ShouldGiveTheBitsOfThePlainLoop(
        RunRequest request, int workers, Observed? observed = null, Action<ProcessesRun, long>? atStep = null, IReadOnlyList<Fault>? faults = null)
    {
        Observed plain = new(), actors = observed ?? new Observed();
        RunOutcome expected = Trainers.RunSequentially(request, plain);
        RunOutcome outcome = ProcessRuns.Run(ProcessRuns.Readable(request, workers) with { Faults = faults ?? [] }, actors, atStep);
        string what = $"{DrawnRun.Describe(request)}: {outcome.Reason} {string.Join("; ", actors.Notices)}";
        outcome.Status.ShouldBe(expected.Status, what);
        Bits.Of(outcome).ShouldBe(Bits.Of(expected), what);
        ShouldReport(actors, plain, outcome.Restarts, what);
        outcome.BytesSent.ShouldBeGreaterThan(0);
        outcome.MessagesByType.Select(pair => pair.Key).ShouldContain("contribution");
        return outcome;
    }

    /// <summary>Every step that is reported is reported once, in order, with the plain loop's loss.</summary>
    private static void ShouldReport(Observed actors, Observed plain, int restarts, string what)
    {
        // A coordinator that is killed between a commit and its report leaves nobody who could tell of that step; as many may be uncommitted at once.
        int unreported = plain.Steps.Count - actors.Steps.Count;
        unreported.ShouldBeInRange(0, restarts * 2, what);
        SortedDictionary<long, double> losses = new(plain.Steps.ToDictionary(step => step.Step, step => step.Loss));
        actors.Steps.Select(step => step.Step).ShouldBe(actors.Steps.Select(step => step.Step).Distinct().Order(), what);
        actors.Steps.Select(step => step.Loss).ShouldBe(actors.Steps.Select(step => losses[step.Step]), what);
    }

    private static void Kill(bool now, ProcessesRun run, string name)
    {
        if (now)
        {
            Signals.Kill(run, name);
        }
    }

    private static void Stop(bool now, ProcessesRun run, string name)
    {
        if (now)
        {
            Signals.Stop(run, name);
        }
    }

    private static void Cancel(bool now, CancellationTokenSource stop)
    {
        if (now)
        {
            stop.Cancel();
        }
    }
}
