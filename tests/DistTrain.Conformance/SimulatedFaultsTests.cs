using System.Globalization;
using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>Networks that lose, double, delay and part, machines that are slow, die and come back: a synchronous run keeps the bits of the plain loop.</summary>
public sealed class SimulatedFaultsTests
{
    private const int RunsPerPart = 25;

    public static TheoryData<string> Methods => [.. DrawnMethod.Names];

    public static TheoryData<int> Parts => [.. Enumerable.Range(0, 4)];

    [Theory]
    [MemberData(nameof(Parts))]
    public void ABadNetworkChangesNoBit(int part)
    {
        long lost = ForEach(part, 10_000, (_, draw) => (Network(draw) with { Drop = 0.05 }, []), (request, run) =>
        {
            ShouldGiveTheBitsOfThePlainLoop(request, run);
            return run.Lost;
        });
        lost.ShouldBeGreaterThan(RunsPerPart);
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void CrashesPartitionsAndStragglersChangeNoBit(int part)
    {
        long deaths = ForEach(part, 11_000, (plan, draw) => (Network(draw), Faults(plan, draw)), (request, run) =>
        {
            ShouldGiveTheBitsOfThePlainLoop(request, run);
            return run.Deaths;
        });
        deaths.ShouldBeGreaterThan(RunsPerPart);
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void BackupsOfStragglersChangeNoBitAmongOtherFaults(int part)
    {
        long deaths = ForEach(
            part,
            15_000,
            (plan, draw) => (Network(draw) with { Machine = null }, Faults(plan, draw)),
            (request, run) =>
            {
                ShouldGiveTheBitsOfThePlainLoop(request, run);
                return run.Deaths;
            },
            request => request with { Settings = request.Settings with { BackupAfter = TimeSpan.FromMicroseconds(100) } });
        deaths.ShouldBeGreaterThan(RunsPerPart);
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void ACoordinatorThatIsReplacedFromItsRecordsChangesNoBit(int part)
    {
        long deaths = ForEach(part, 14_000, (plan, draw) => (Network(draw), CoordinatorFaults(plan, draw)), (request, run) =>
        {
            ShouldGiveTheBitsOfThePlainLoop(request, run);
            return run.Deaths;
        });
        deaths.ShouldBeGreaterThan(RunsPerPart);
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void AsynchronousRunsEndAmongFaults(int part) => ForEach(
        part,
        12_000,
        (plan, draw) => (Network(draw), Faults(plan, draw)),
        (request, run) =>
        {
            RunOutcome outcome = run.ToEnd(CancellationToken.None);
            outcome.Status.ShouldBe(RunStatus.Completed, $"{DrawnRun.Describe(request)}: {outcome.Reason}");
            ShouldLeakNothing(request, run);
            return 1;
        },
        request => request with
        {
            Settings = request.Settings with
            {
                Replicas = request.Settings.ParameterServer.Aggregate == Aggregate.Mean ? request.Settings.Replicas : 3,
                Optimizer = request.Settings.Optimizer with { ClipNorm = null },
                ParameterServer = request.Settings.ParameterServer with { Aggregate = Aggregate.Mean, Consistency = Consistency.Ssp, StalenessStepsMax = 2 },
            },
        });

    [Theory]
    [MemberData(nameof(Methods))]
    public void EveryMethodKeepsItsBitsAmongFaultsAndTakesTheSameTimeWithoutArithmetic(string method)
    {
        const int runs = 4;
        for (ulong number = 13_001; number <= 13_000 + runs; number++)
        {
            RunRequest drawn = DrawnMethod.Of(method, number);
            RunPlan plan = new(drawn.Settings, drawn.Data.TrainRows, drawn.Data.TestRows);
            Draw draw = new(number, stream: 3);
            RunRequest request = drawn with
            {
                Settings = drawn.Settings with { Training = drawn.Settings.Training with { EarlyStoppingPatience = null } },
                Simulation = Network(draw),
                Faults = Faults(plan, draw),
            };
            using SimulatedRun run = new(request, new Observed());
            RunOutcome expected = Trainers.RunSequentially(request), outcome = run.ToEnd(CancellationToken.None);
            outcome.Status.ShouldBe(RunStatus.Completed, $"{Describe(request)}: {outcome.Reason}");
            Bits.Of(outcome).ShouldBe(Bits.Of(expected), Describe(request));
            ShouldLeakNothing(request, run);

            RunOutcome timed = Trainers.Run("simulated", request with { Simulation = request.Simulation with { TimingOnly = true } });
            timed.Virtual.ShouldBe(outcome.Virtual, Describe(request));
            timed.BytesSent.ShouldBe(outcome.BytesSent, Describe(request));
        }
    }

    [Fact]
    public void TheSameRequestGivesTheSameEventsAndAnotherSeedOfTheNetworkGivesOthers()
    {
        RunRequest request = DrawnRun.Of(77) with { Simulation = Network(new Draw(1)) with { Drop = 0.1, Jitter = TimeSpan.FromMilliseconds(1) } };
        (long Events, TimeSpan? Virtual, string Bits) Facts(RunRequest one)
        {
            using SimulatedRun run = new(one, new Observed());
            RunOutcome outcome = run.ToEnd(CancellationToken.None);
            return (run.Events, outcome.Virtual, Bits.Of(outcome));
        }

        (long Events, TimeSpan? Virtual, string Bits) first = Facts(request);
        Facts(request).ShouldBe(first);
        (long _, TimeSpan? time, string bits) = Facts(request with { Simulation = request.Simulation with { Seed = 5 } });
        bits.ShouldBe(first.Bits);
        time.ShouldNotBe(first.Virtual);
    }

    [Theory]
    [InlineData(ContributionForm.Gram, 1, Collapse.Input)]
    [InlineData(ContributionForm.Gram, 2, Collapse.Input)]
    [InlineData(ContributionForm.Basis, 1, Collapse.Input)]
    [InlineData(ContributionForm.Gram, 2, Collapse.All)]
    public void ContributionTakesTheSameTimeWithoutArithmetic(ContributionForm form, int shares, Collapse collapse)
    {
        RunRequest request = new FrontRun { Epochs = 3, HiddenLayers = 3, Shares = shares, Form = form, Collapse = collapse }.Front;
        RunOutcome whole = Trainers.Run("simulated", request);
        RunOutcome timed = Trainers.Run("simulated", request with { Simulation = new SimulationSettings { TimingOnly = true } });
        timed.Virtual.ShouldBe(whole.Virtual);
        timed.BytesSent.ShouldBe(whole.BytesSent);
        timed.FrontContribution.ShouldBe(whole.FrontContribution);
    }

    private static long ForEach(
        int part,
        int first,
        Func<RunPlan, Draw, (SimulationSettings, IReadOnlyList<Fault>)> conditions,
        Func<RunRequest, SimulatedRun, long> check,
        Func<RunRequest, RunRequest>? change = null)
    {
        long sum = 0;
        for (int i = 0; i < RunsPerPart; i++)
        {
            ulong number = (ulong)(first + (part * RunsPerPart) + i);
            RunRequest drawn = DrawnRun.Of(number);
            drawn = change?.Invoke(drawn) ?? drawn;
            RunPlan plan = new(drawn.Settings, drawn.Data.TrainRows, drawn.Data.TestRows);
            (SimulationSettings settings, IReadOnlyList<Fault> faults) = conditions(plan, new Draw(number, stream: 3));
            RunRequest request = drawn with { Simulation = settings, Faults = faults };
            new SimulatedEngine().Refuses(request).ShouldBeNull(Describe(request));
            using SimulatedRun run = new(request, new Observed());
            sum += check(request, run);
        }

        return sum;
    }

    private static void ShouldGiveTheBitsOfThePlainLoop(RunRequest request, SimulatedRun run)
    {
        RunOutcome expected = Trainers.RunSequentially(request), outcome = run.ToEnd(CancellationToken.None);
        outcome.Status.ShouldBe(expected.Status, $"{Describe(request)}: {outcome.Reason}");
        outcome.Steps.ShouldBe(expected.Steps, Describe(request));
        Bits.Of(outcome).ShouldBe(Bits.Of(expected), Describe(request));
        ShouldLeakNothing(request, run);
    }

    private static void ShouldLeakNothing(RunRequest request, SimulatedRun run)
    {
        run.GiveEverythingBack();
        run.LiveBuffers.ShouldBe(0, Describe(request));
    }

    private static SimulationSettings Network(Draw draw) => new()
    {
        Latency = TimeSpan.FromMicroseconds(draw.From(0, 2_000)),
        Jitter = TimeSpan.FromMicroseconds(draw.Of(0, 50, 5_000)),
        Drop = draw.Of(0, 0.02, 0.1),
        Duplicate = draw.Of(0, 0.05),
        Reorder = draw.Of(0, 0.2),
        BandwidthBytesPerSecond = draw.Of(0, 1e6, 1.25e9),
        MessageOverhead = TimeSpan.FromMicroseconds(draw.Of(0, 2)),
        Persist = TimeSpan.FromMicroseconds(draw.Of(0, 500)),
        Nodes = draw.Of(0, 0, 2, 3),
        SlotsPerNode = draw.Of(1, 2),
        SuspectAfter = TimeSpan.FromMilliseconds(draw.Of(1, 500)),
        Machine = draw.Chance(0.3) ? MachineProfile.Default : null,
    };

    private static List<Fault> Faults(RunPlan plan, Draw draw)
    {
        List<Fault> faults = [];
        for (int left = draw.From(1, 4); left > 0; left--)
        {
            ActorId actor = new(1 + draw.Below(plan.Topology.Count - 1));
            TimeSpan length = TimeSpan.FromMilliseconds(draw.From(1, 3_000));
            Fault fault = draw.Below(6) switch
            {
                0 or 1 => new CrashFault(actor, length),
                2 => new SuspicionFault(actor),
                3 => new SlowFault(actor, draw.From(2, 1_000), length),
                4 => new PartitionFault([[ActorId.Coordinator], [actor]], length),
                _ => new LinkFault(null, actor)
                {
                    Drop = 0.3, Duplicate = 0.3, DelayMax = TimeSpan.FromMilliseconds(30), Reorder = draw.Chance(0.5), For = length,
                },
            };
            FaultTime at = draw.Chance(0.5)
                ? FaultTime.AtStep(draw.From(1, (int)plan.TotalSteps))
                : FaultTime.AfterTime(TimeSpan.FromMilliseconds(draw.From(0, 20)));
            faults.Add(fault with { At = at });
        }

        return faults;
    }

    /// <summary>The coordinator dies once or twice, once perhaps within a snapshot, and a shard may die within one too.</summary>
    private static List<Fault> CoordinatorFaults(RunPlan plan, Draw draw)
    {
        List<Fault> faults = Faults(plan, draw);
        for (int left = draw.From(1, 2); left > 0; left--)
        {
            TimeSpan length = TimeSpan.FromMilliseconds(draw.From(0, 3_000));
            FaultTime at = draw.Chance(0.5)
                ? FaultTime.AtStep(draw.From(1, (int)plan.TotalSteps))
                : FaultTime.AfterTime(TimeSpan.FromMilliseconds(draw.From(0, 20)));
            faults.Add(new CrashFault(ActorId.Coordinator, length) { At = at, DuringSnapshot = draw.Chance(0.3) });
        }

        faults.Add(new CrashFault(plan.Topology.Shard(0), TimeSpan.Zero) { At = FaultTime.AtStep(1), DuringSnapshot = true });
        return faults;
    }

    private static string Describe(RunRequest request) => string.Create(
        CultureInfo.InvariantCulture, $"{DrawnRun.Describe(request)}; {request.Simulation}; {string.Join(", ", request.Faults)}");
}
