using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Soaking;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Soaking;

/// <summary>What soak runs have found once.</summary>
public sealed class RecoveryTests
{
    /// <summary>A shard that keeps an older version for its weights alone took it for one to go on from: optimizer state and carried state were missing.</summary>
    [Theory]
    [InlineData("delayed-gradient")]
    [InlineData("features-replay")]
    public void ALossWithinASnapshotGoesBackToWholeVersions(string method)
    {
        int shards = 0;
        for (ulong number = 20_001; number <= 20_012; number++)
        {
            RunRequest drawn = DrawnMethod.Of(method, number);
            RunRequest request = drawn with { Settings = drawn.Settings with { CheckpointEverySteps = 1 } };
            Topology topology = TopologyOf(request);
            for (int shard = 0; shard < topology.Shards; shard++, shards++)
            {
                Fault crash = new CrashFault(topology.Shard(shard), TimeSpan.Zero) { DuringSnapshot = true, At = FaultTime.AtStep(3) };
                SoakRun.Check(request with { Faults = [crash] }).Finding.ShouldBeNull(DrawnMethod.Describe(request));
            }
        }

        shards.ShouldBeGreaterThan(12);
    }

    /// <summary>A commit was recorded behind the membership of the next epoch, and counted when another suspicion replaced that record.</summary>
    [Fact]
    public void NothingIsCommittedBehindTheRecordOfTheNextEpoch()
    {
        RunRequest drawn = DrawnRun.Of(18) with
        {
            Simulation = new SimulationSettings { Persist = TimeSpan.FromMilliseconds(5), SuspectAfter = TimeSpan.Zero },
        };
        Topology topology = TopologyOf(drawn);
        for (int first = 0; first < 60; first++)
        {
            for (int gap = 1; gap <= 4; gap += 3)
            {
                TimeSpan at = TimeSpan.FromMilliseconds(10 + first), again = at + TimeSpan.FromMilliseconds(gap);
                Fault[] faults =
                [
                    new SuspicionFault(new ActorId(1)) { At = FaultTime.AfterTime(at) },
                    new SuspicionFault(topology.Shard(0)) { At = FaultTime.AfterTime(again) },
                ];
                SoakRun.Check(drawn with { Faults = faults }).Finding.ShouldBeNull($"{at}, {again}");
            }
        }
    }

    /// <summary>A suspicion that reached a new coordinator before it had started found no members.</summary>
    [Fact]
    public void ASuspicionAtTheMomentOfTheStartIsNobodysLoss()
    {
        RunRequest drawn = DrawnRun.Of(5) with { Simulation = new SimulationSettings { SuspectAfter = TimeSpan.Zero } };
        ActorId first = new(1);
        Fault[] faults =
        [
            new SuspicionFault(first),
            new CrashFault(ActorId.Coordinator, TimeSpan.FromMilliseconds(4)) { At = FaultTime.AfterTime(TimeSpan.FromMilliseconds(1)) },
            new SuspicionFault(first) { At = FaultTime.AfterTime(TimeSpan.FromMilliseconds(5)) },
        ];
        SoakRun.Check(drawn with { Faults = faults }).Finding.ShouldBeNull();
    }

    private static Topology TopologyOf(RunRequest request) => new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
}
