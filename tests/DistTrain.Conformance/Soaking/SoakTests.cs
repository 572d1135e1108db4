using System.Collections.Concurrent;
using DistTrain.Engines.Checking;
using DistTrain.Engines.Soaking;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Soaking;

/// <summary>The guarantees hold for drawn runs among drawn faults, and where one is broken on purpose the checkers say so.</summary>
public sealed class SoakTests
{
    private const long Seeds = 200;

    [Fact]
    public void EveryGuaranteeHoldsForEverySeed()
    {
        ConcurrentQueue<SoakFailure> failures = [];
        SoakProgress done = Soak.Run(
            new SoakOptions(FirstSeed: 1, Seeds, Limit: null, Threads: 2), _ => { }, failures.Enqueue, CancellationToken.None);
        failures.Select(failure => $"{failure.Seed}: {failure.Finding}").ShouldBeEmpty();
        done.Seeds.ShouldBe(Seeds);
        done.FaultsByKind.Select(kind => kind.Key).ShouldBe(["crash", "crash during snapshot", "join-nodes", "leave-node", "link", "lose-node", "partition", "slow", "suspicion"]);
    }

    [Theory]
    [InlineData("a contribution that arrives twice is applied twice", 9UL, "once")]
    [InlineData("messages of an older incarnation are taken for those of the newest", 7UL, "invariant")]
    [InlineData("the retry timer fires for nobody", 7UL, "progress")]
    [InlineData("what a disk reports as kept is not there after a crash", 8UL, "membership")]
    public void ADefectBetweenHostAndMachinesIsFoundAndShrunkToAFewFaults(string defect, ulong seed, string guarantee)
    {
        const int faultsMax = 3;
        Func<RunPlan, HostSeams> plant = PlantedDefects.All[defect];
        SoakFailure failure = Soak.Check(seed, request => SoakRun.Check(request, faults: null, plant).Finding).ShouldNotBeNull();
        failure.Finding.Guarantee.ShouldBe(guarantee);
        failure.Faults.Count.ShouldBeInRange(1, faultsMax);
        failure.Faults.Count.ShouldBeLessThan(failure.FaultsDrawn);

        // The defect is what was found, not the seed.
        Soak.Check(seed, request => SoakRun.Check(request).Finding).ShouldBeNull();
    }

    [Fact]
    public void ASeedGivesTheSameVerdictWheneverItIsRun()
    {
        Func<RunPlan, HostSeams> plant = PlantedDefects.All["the retry timer fires for nobody"];
        SoakFailure? Once() => Soak.Check(7, request => SoakRun.Check(request, faults: null, plant).Finding);
        SoakFailure first = Once().ShouldNotBeNull(), second = Once().ShouldNotBeNull();
        second.Finding.ShouldBe(first.Finding);
        second.Faults.Select(fault => fault.ToString()).ShouldBe(first.Faults.Select(fault => fault.ToString()));
    }
}
