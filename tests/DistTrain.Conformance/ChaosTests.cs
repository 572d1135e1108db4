using System.Globalization;
using DistTrain.Conformance.Chaos;
using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Numerics.Compression;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>
/// Messages are lost, doubled and overtaken, actors die: a synchronous run ends with the bits of the plain loop all the
/// same, and an
/// asynchronous one applies each contribution once.
/// </summary>
public sealed class ChaosTests
{
    private const int RunsPerPart = 40;

    public static TheoryData<int> Parts => [.. Enumerable.Range(0, 4)];

    [Theory]
    [MemberData(nameof(Parts))]
    public void LossAndReorderingChangeNoBit(int part)
    {
        int dropped = 0;
        ForEach(
            part,
            1_000,
            seed => new ChaosFaults { Seed = seed },
            (request, faults) => dropped += ShouldGiveTheBitsOfThePlainLoop(request, faults).Dropped);
        dropped.ShouldBeGreaterThan(0);
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void DeathsOfLayerActorsChangeNoBit(int part)
    {
        int crashes = 0;
        ForEach(
            part,
            2_000,
            seed => new ChaosFaults { Seed = seed, LayerActorCrash = 0.003, FalseSuspicion = 0.001 },
            (request, faults) => crashes += ShouldGiveTheBitsOfThePlainLoop(request, faults).Crashes);
        crashes.ShouldBeGreaterThan(RunsPerPart);
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void DeathsOfShardsChangeNoBit(int part)
    {
        int crashes = 0;
        ForEach(
            part,
            3_000,
            seed => new ChaosFaults { Seed = seed, LayerActorCrash = 0.001, ShardCrash = 0.002, FalseSuspicion = 0.001 },
            (request, faults) => crashes += ShouldGiveTheBitsOfThePlainLoop(request, faults).Crashes);
        crashes.ShouldBeGreaterThan(RunsPerPart);
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void AnAsynchronousRunAppliesEveryContributionOnce(int part) =>
        ForEach(
            part,
            4_000,
            seed => new ChaosFaults { Seed = seed, LayerActorCrash = 0.002, ShardCrash = 0.001, FalseSuspicion = 0.001 },
            (request, faults) => ShouldApplyEachContributionOnce(Asynchronous(request, faults.Seed), faults));

    [Theory]
    [MemberData(nameof(Parts))]
    public void PipeDreamGivesTheSameBitsWhateverIsLost(int part)
    {
        for (int i = 0; i < RunsPerPart; i++)
        {
            ulong seed = (ulong)(5_000 + (part * RunsPerPart) + i);
            RunRequest request = PipeDream(DrawnRun.Of(seed));
            using ChaosRun calm = new(request, new ChaosFaults { Seed = seed, Drop = 0, Duplicate = 0 }, new Observed());
            using ChaosRun lossy = new(request, new ChaosFaults { Seed = seed + 1 }, new Observed());
            ChaosAccount reference = calm.ToEnd(), account = lossy.ToEnd();
            ShouldBeWhole(account, request, seed);
            Bits.Of(account.Outcome).ShouldBe(Bits.Of(reference.Outcome), DrawnRun.Describe(request));
        }
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void AStopAmongFaultsLeavesTheWeightsOfItsStep(int part) =>
        ForEach(
            part,
            6_000,
            seed => new ChaosFaults { Seed = seed, LayerActorCrash = 0.003, ShardCrash = 0.001, FalseSuspicion = 0.001 },
            (request, faults) =>
            {
                using ChaosRun run = new(request, faults, new Observed()) { StopAfterStimuli = new Draw(faults.Seed, stream: 11).Below(1_500) };
                ChaosAccount account = run.ToEnd();
                string what = Describe(request, faults.Seed);
                account.LiveBuffers.ShouldBe(0, what);
                account.Outcome.Status.ShouldBeOneOf(RunStatus.Stopped, RunStatus.Completed);
                Bits.Of(account.Outcome).ShouldBe(Bits.Of(PlainUpTo(account.Outcome.Steps, request)), what);
            });

    private static RunOutcome PlainUpTo(long step, RunRequest request)
    {
        using CancellationTokenSource stop = new();
        Observed observed = new()
        {
            AtStep = at =>
            {
                if (at == step)
                {
                    stop.Cancel();
                }
            },
        };
        if (step == 0)
        {
            stop.Cancel();
        }

        RunOutcome outcome = Trainers.RunSequentially(request, observed, stop.Token);
        outcome.Steps.ShouldBe(step);
        return outcome;
    }

    private static void ForEach(int part, int first, Func<ulong, ChaosFaults> faults, Action<RunRequest, ChaosFaults> check)
    {
        for (int i = 0; i < RunsPerPart; i++)
        {
            ulong seed = (ulong)(first + (part * RunsPerPart) + i);
            check(DrawnRun.Of(seed), faults(seed));
        }
    }

    private static ChaosAccount ShouldGiveTheBitsOfThePlainLoop(RunRequest request, ChaosFaults faults)
    {
        Observed plain = new(), chaotic = new();
        RunOutcome expected = Trainers.RunSequentially(request, plain);
        using ChaosRun run = new(request, faults, chaotic);
        ChaosAccount account = run.ToEnd();

        ShouldBeWhole(account, request, faults.Seed);
        string what = Describe(request, faults.Seed);
        account.Outcome.Steps.ShouldBe(expected.Steps, what);
        chaotic.Steps.Select(step => step.Loss).ShouldBe(plain.Steps.Select(step => step.Loss), what);
        Bits.Of(account.Outcome).ShouldBe(Bits.Of(expected), what);
        account.Updates.ShouldAllBe(updates => updates == expected.Steps, what);
        return account;
    }

    private static void ShouldApplyEachContributionOnce(RunRequest request, ChaosFaults faults)
    {
        using ChaosRun run = new(request, faults, new Observed());
        ChaosAccount account = run.ToEnd();

        string what = Describe(request, faults.Seed);
        ShouldBeWhole(account, request, faults.Seed);
        ParameterServerSettings server = request.Settings.ParameterServer;
        account.Updates.ShouldAllBe(updates => updates == account.Outcome.Steps * request.Settings.Replicas, what);
        account.StalenessSteps.ShouldBeLessThanOrEqualTo(
            server.Consistency == Consistency.Ssp ? server.StalenessStepsMax : Limits.AsyncStalenessStepsMax, what);
    }

    private static void ShouldBeWhole(ChaosAccount account, RunRequest request, ulong seed)
    {
        string what = Describe(request, seed);
        account.Outcome.Status.ShouldBe(RunStatus.Completed, $"{what}: {account.Outcome.Reason}");
        account.LiveBuffers.ShouldBe(0, what);
    }

    private static string Describe(RunRequest request, ulong seed) =>
        string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {DrawnRun.Describe(request)}");

    private static RunRequest Asynchronous(RunRequest request, ulong seed)
    {
        RunSettings settings = request.Settings;
        Draw draw = new(seed, stream: 9);
        return request with
        {
            Settings = settings with
            {
                Replicas = settings.ParameterServer.Aggregate == Aggregate.Mean ? settings.Replicas : 3,
                Optimizer = settings.Optimizer with { ClipNorm = null },
                ParameterServer = settings.ParameterServer with
                {
                    Aggregate = Aggregate.Mean,
                    Consistency = draw.Of(Consistency.Async, Consistency.Ssp),
                    StalenessStepsMax = draw.From(0, 3),
                },
            },
        };
    }

    private static RunRequest PipeDream(RunRequest request) => request with
    {
        Settings = request.Settings with
        {
            Method = new MethodSettings("pipedream"),
            Replicas = 1,
            Training = request.Settings.Training with { MicroBatches = 1 },
            Optimizer = request.Settings.Optimizer with { ClipNorm = null },
            ParameterServer = new ParameterServerSettings { Shards = request.Settings.ParameterServer.Shards, Compression = CompressionKind.None },
        },
    };
}
