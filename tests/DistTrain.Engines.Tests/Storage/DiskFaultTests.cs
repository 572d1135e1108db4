using DistTrain.Conformance.Support;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Storage;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Storage;

/// <summary>A disk that fails as a scenario says ends the run with what is wrong; what was committed stays, and with a whole disk the run goes on to the same bits.</summary>
public sealed class DiskFaultTests
{
    public static TheoryData<Durability, bool, DiskProblem> Cases
    {
        get
        {
            TheoryData<Durability, bool, DiskProblem> cases = [];
            foreach (Durability durability in (Durability[])[Durability.Memory, Durability.Step, Durability.Power])
            {
                foreach (bool coordinator in (bool[])[true, false])
                {
                    cases.Add(durability, coordinator, DiskProblem.Full);
                    cases.Add(durability, coordinator, DiskProblem.TornWrite);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheRunStopsByNameAndGoesOnWithoutTheFault(Durability durability, bool coordinator, DiskProblem problem)
    {
        RunRequest request = CrashBoundaries.Request(durability, 3);
        Topology topology = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
        ActorId actor = coordinator ? ActorId.Coordinator : topology.Shard(1);
        string expected = Bits.Of(CrashBoundaries.Run(request, new SimulatedDisk(), 0, new Observed()));
        SimulatedDisk disk = new();
        Observed observed = new();
        RunRequest faulty = request with { Faults = [new DiskFault(actor, problem) { At = FaultTime.AtStep(7) }] };
        RunOutcome outcome = CrashBoundaries.Run(faulty, disk, 0, observed);
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldStartWith(topology.NameOf(actor));
        outcome.Reason.ShouldContain(problem == DiskProblem.Full ? "no space left on device" : "a write was torn");
        observed.Faults.ShouldHaveSingleItem();

        long from = Journal.LastCommittedStep(disk, CrashBoundaries.Folder) ?? 0;
        long told = observed.Steps[^1].Step;
        from.ShouldBeGreaterThanOrEqualTo(durability == Durability.Memory ? told - request.Settings.CheckpointEverySteps - 1 : told);
        RunOutcome whole = CrashBoundaries.Run(request, disk, from, new Observed());
        whole.Status.ShouldBe(RunStatus.Completed, whole.Reason);
        Bits.Of(whole).ShouldBe(expected);
    }
}
