using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Soaking;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
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

    /// <summary>
    /// A copy of a shard may leave once another is whole. Until then nobody was told that no more steps come, and afterwards nobody either: PipeDream's stages
    /// waited for the step that would have let them go on.
    /// </summary>
    [Fact]
    public void WhoMayLeaveOnlyLaterHoldsNoPipelineUp()
    {
        RunRequest drawn = WithCopies(Enumerable.Range(1, 100).Select(number => DrawnMethod.Of("pipedream", (ulong)number))
            .First(run => run.Settings.Stages.Count > 3 && run.Data.TrainRows / run.Settings.Replicas > 2 * run.Settings.Stages.Count));

        // More steps than a pipeline holds, so that no end of an epoch drains it.
        TrainingSettings training = drawn.Settings.Training with { BatchSize = drawn.Settings.Replicas };
        RunRequest request = drawn with { Settings = drawn.Settings with { Training = training } };
        Topology topology = TopologyOf(request);
        for (int position = 0; position < topology.ShardActors; position++)
        {
            for (long step = 1; step <= 4; step++)
            {
                Fault[] faults = [new NodeLeaveFault(topology.ShardActor(position)) { At = FaultTime.AtStep(step) }];
                SoakRun.Check(request with { Faults = faults }).Finding.ShouldBeNull($"{topology.NameOf(topology.ShardActor(position))} at step {step}");
            }
        }
    }

    /// <summary>The last whole copy was lost while another was about to be prepared, and an epoch was decided that went back to a snapshot although by then it was.</summary>
    [Fact]
    public void ACopyThatIsPreparedWhileTheNextEpochIsDecidedKeepsWhatIsCommitted()
    {
        RunRequest drawn = WithCopies(DrawnRun.Of(18));
        RunRequest request = drawn with
        {
            Settings = drawn.Settings with { CheckpointEverySteps = 0, Training = drawn.Settings.Training with { Epochs = 3 } },
            Simulation = new SimulationSettings { Persist = TimeSpan.FromMilliseconds(1), SuspectAfter = TimeSpan.Zero },
        };
        Topology topology = TopologyOf(request);
        for (int offset = 0; offset < 400; offset++)
        {
            // The first suspicion makes the copy an empty one that enters again; somewhere among the second ones it is just not prepared.
            FaultTime at = FaultTime.AfterTime(TimeSpan.FromMicroseconds(5_000 + (50 * offset)));
            Fault[] faults =
            [
                new SuspicionFault(topology.Shard(0)) { At = FaultTime.AtStep(2) },
                new SuspicionFault(topology.Shard(0, 1)) { At = at },
            ];
            SoakRun.Check(request with { Faults = faults }).Finding.ShouldBeNull($"{at}");
        }
    }

    /// <summary>The book of the run tells a new coordinator every replica's results, which was more than a link may hold unacknowledged.</summary>
    [Fact]
    public void ANewCoordinatorHearsTheResultsOfManyReplicas()
    {
        const int replicas = 96;
        RunRequest request = Small(replicas: replicas, rows: replicas * 8, batch: replicas, epochs: 2);
        for (double crashMs = 20; crashMs < 32; crashMs += 1.7)
        {
            Fault[] faults = [new CrashFault(ActorId.Coordinator, TimeSpan.Zero) { At = At(crashMs) }];
            SoakRun.Check(request with { Faults = faults }).Finding.ShouldBeNull($"{crashMs} ms");
        }
    }

    /// <summary>A copy that others went on without counted as whole at the second takeover, if the first had not got to tell it that it is empty.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ACopyThatOthersWentOnWithoutIsNotWholeForBeingAMemberAgain(int copy)
    {
        RunRequest request = Small(epochs: 40);
        Topology topology = TopologyOf(request);
        ActorId behind = topology.Shard(0, copy);
        ActorId[] others = [.. Enumerable.Range(0, topology.Count).Select(index => new ActorId(index)).Where(actor => actor != behind)];
        for (double heard = 530; heard < 560; heard += 0.5)
        {
            Fault[] faults =
            [
                new PartitionFault([[behind], others], Ms(150)) { At = At(50) },
                new CrashFault(ActorId.Coordinator, Ms(20)) { At = At(120) },
                new LinkFault(ActorId.Coordinator, behind) { Drop = 1, For = Ms(6), At = At(heard) },
                new CrashFault(ActorId.Coordinator, TimeSpan.Zero) { At = At(heard + 3) },
            ];
            SoakRun.Check(request with { Faults = faults }).Finding.ShouldBeNull($"{heard} ms");
        }
    }

    /// <summary>Of a layer actor that was lost before a new coordinator's first epoch had begun it was only noted that it is, and that epoch needed it.</summary>
    [Fact]
    public void WhoIsLostBeforeTheFirstEpochOfANewCoordinatorIsReplaced()
    {
        RunRequest request = Small(method: "front-contribution", epochs: 40, persistMs: 5, suspectMs: 3);
        for (double later = 0; later < 14; later += 0.25)
        {
            Fault[] faults =
            [
                new CrashFault(ActorId.Coordinator, TimeSpan.Zero) { At = At(100) },
                new CrashFault(new ActorId(1), TimeSpan.Zero) { At = At(100 + later) },
            ];
            SoakRun.Check(request with { Faults = faults }).Finding.ShouldBeNull($"{later} ms");
        }
    }

    /// <summary>A shard that was to move, and waited for its state to be kept, moved with the next recovery and left its state behind.</summary>
    [Fact]
    public void AShardWithoutCopiesMovesOnlyOnceItsStateIsKept()
    {
        RunRequest request = Small(copies: 1, epochs: 10, persistMs: 0.5);
        for (double later = 0; later < 8; later += 0.1)
        {
            Fault[] faults =
            [
                new NodeLeaveFault(TopologyOf(request).Shard(0)) { At = At(30) },
                new SuspicionFault(new ActorId(1)) { At = At(30 + later) },
            ];
            SoakRun.Check(request with { Faults = faults }).Finding.ShouldBeNull($"{later} ms");
        }
    }

    private static RunRequest Small(
        string method = "backprop", int replicas = 1, int copies = 2, int rows = 40, int batch = 4, int epochs = 1, double persistMs = 2, double suspectMs = 1)
    {
        NetworkSpec network = new(6, [new DenseSpec(5, ActivationKind.Tanh), new DenseSpec(4, ActivationKind.Softmax)]);
        RunSettings settings = new()
        {
            Name = "small",
            Seed = 5,
            Precision = Precision.Float64,
            Network = network,
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.05),
            Training = new TrainingSettings(epochs, batch, 1, Shuffle: true),
            Method = new MethodSettings(method, "sequential"),
            Stages = [1, 1],
            Replicas = replicas,
            ParameterServer = new ParameterServerSettings { Copies = copies },
            StepsInFlight = 2,
            CheckpointEverySteps = 0,
            Patience = TimeSpan.FromMinutes(2),
        };
        return new RunRequest
        {
            Settings = settings,
            Data = SmallData.Classes(settings.Precision, rows, 0, network.Inputs, 4),
            Simulation = new SimulationSettings { Persist = Ms(persistMs), SuspectAfter = Ms(suspectMs) },
        };
    }

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    private static FaultTime At(double ms) => FaultTime.AfterTime(Ms(ms));

    private static RunRequest WithCopies(RunRequest request) =>
        request with { Settings = request.Settings with { ParameterServer = request.Settings.ParameterServer with { Copies = 2 } } };

    private static Topology TopologyOf(RunRequest request) => new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
}
