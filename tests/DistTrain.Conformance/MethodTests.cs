using System.Globalization;
using DistTrain.Conformance.Chaos;
using DistTrain.Conformance.Support;
using DistTrain.Engines;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>Every synchronous method gives the bits of its textbook loop, whatever runs it and whatever is lost or dies.</summary>
public sealed class MethodTests
{
    // More runs for a longer search: DISTTRAIN_METHOD_RUNS=200.
    private static readonly int RunsPerMethod =
        int.TryParse(Environment.GetEnvironmentVariable("DISTTRAIN_METHOD_RUNS"), NumberStyles.None, CultureInfo.InvariantCulture, out int runs) ? runs : 14;

    public static TheoryData<string, string> OnEngines
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string engine in Trainers.EngineNames)
            {
                foreach (string method in DrawnMethod.Names)
                {
                    all.Add(engine, method);
                }
            }

            return all;
        }
    }

    public static TheoryData<string> Methods => [.. DrawnMethod.Names];

    [Theory]
    [MemberData(nameof(OnEngines))]
    public void DrawnRunsGiveTheBitsOfThePlainLoop(string engine, string method)
    {
        for (ulong number = 1; number <= (ulong)RunsPerMethod; number++)
        {
            RunRequest request = DrawnMethod.Of(method, 7_000 + number);
            string what = DrawnMethod.Describe(request);
            Observed plain = new(), actors = new();
            RunOutcome expected = Trainers.RunSequentially(request, plain), outcome = Trainers.Run(engine, request, actors);
            outcome.Status.ShouldBe(expected.Status, $"{what}: {outcome.Reason}");
            actors.Steps.Select(step => step.Loss).ShouldBe(plain.Steps.Select(step => step.Loss), what);
            Bits.Of(outcome).ShouldBe(Bits.Of(expected), what);
            (outcome.TestAccuracy, outcome.TrainAccuracy).ShouldBe((expected.TestAccuracy, expected.TrainAccuracy), what);
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void LossAndDeathsChangeNoBit(string method)
    {
        int crashes = 0;
        for (ulong number = 1; number <= (ulong)RunsPerMethod; number++)
        {
            RunRequest request = DrawnMethod.Of(method, 8_000 + number);
            string what = DrawnMethod.Describe(request);
            ChaosFaults faults = new() { Seed = number, LayerActorCrash = 0.003, ShardCrash = 0.001, FalseSuspicion = 0.001 };
            Observed plain = new(), chaotic = new();
            RunOutcome expected = Trainers.RunSequentially(request, plain);
            using ChaosRun run = new(request, faults, chaotic);
            ChaosAccount account = run.ToEnd();
            account.Outcome.Status.ShouldBe(expected.Status, $"{what}: {account.Outcome.Reason}");
            account.LiveBuffers.ShouldBe(0, what);
            chaotic.Steps.Select(step => step.Loss).ShouldBe(plain.Steps.Select(step => step.Loss), what);
            Bits.Of(account.Outcome).ShouldBe(Bits.Of(expected), what);
            crashes += account.Crashes;
        }

        crashes.ShouldBeGreaterThan(RunsPerMethod);
    }
}
