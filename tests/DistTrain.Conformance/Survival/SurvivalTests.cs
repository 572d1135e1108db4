using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Storage;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Survival;

/// <summary>Each cell of the table, and that the README says the same.</summary>
public sealed class SurvivalTests : IDisposable
{
    private static readonly ulong[] Seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("disttrain-survival-");

    public static TheoryData<Loss, string, int, Durability, Fate> Cells
    {
        get
        {
            TheoryData<Loss, string, int, Durability, Fate> cells = [];
            foreach (SurvivalRow row in SurvivalTable.Rows)
            {
                foreach (string engine in row.Engines)
                {
                    for (int durability = 0; durability < row.Fates.Length; durability++)
                    {
                        cells.Add(row.Loss, engine, row.Copies, SurvivalTable.Durabilities[durability], row.Fates[durability]);
                    }
                }
            }

            return cells;
        }
    }

    private string Journal => Path.Combine(_root.FullName, "journal");

    public void Dispose() => _root.Delete(recursive: true);

    [SkippableTheory]
    [MemberData(nameof(Cells))]
    public void ARunHasTheFateOfItsCell(Loss loss, string engine, int copies, Durability durability, Fate fate)
    {
        Skip.If(OperatingSystem.IsWindows() && (engine == ProcessesEngine.EngineName || loss == Loss.Everything), "Processes are killed by signal.");
        RunRequest request = SurvivalRun.Request(durability, copies);
        if (fate == Fate.Refused)
        {
            SurvivalRun.Refusal(engine, request).ShouldNotBeNull().ShouldStartWith("parameter-server.copies: 2");
        }
        else if (loss is Loss.Everything or Loss.Power)
        {
            LoseEverything(request, loss, engine, copies, fate);
        }
        else
        {
            LoseSomething(request with { JournalFolder = Journal, Faults = SurvivalRun.FaultsOf(loss, request) }, engine, fate);
        }
    }

    /// <summary>All that is left then is to evaluate; the weights are in the log.</summary>
    [SkippableTheory]
    [InlineData("threads")]
    [InlineData("processes")]
    public void ARunThatWasKilledAfterItsLastCommitIsWholeAllTheSame(string engine)
    {
        Skip.If(OperatingSystem.IsWindows(), "Processes are killed by signal.");
        SurvivalRun.KillWhole("threads", Durability.Step, 1, Journal, SurvivalRun.Steps);
        (Engines.Journal.LastSnapshotStep(Journal) ?? 0).ShouldBeLessThan(SurvivalRun.Steps);
        ShouldResume(SurvivalRun.Request(Durability.Step, 1) with { JournalFolder = Journal }, engine, SurvivalRun.Steps, keepsAll: true);
    }

    [Fact]
    public void TheReadmeHasThisTable()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DistTrain.sln")))
        {
            folder = folder.Parent;
        }

        string[] lines = File.ReadAllLines(Path.Combine(folder.ShouldNotBeNull().FullName, "README.md"));
        string[] table = [.. SurvivalTable.Lines()];
        lines.SkipWhile(line => line != table[0]).TakeWhile(line => line.Length > 0).ShouldBe(table, "the table under 'What a run survives'");
    }

    private void LoseSomething(RunRequest request, string engine, Fate fate)
    {
        Observed observed = new();
        bool goesOn = fate is Fate.LosesNothing or Fate.GoesBack;
        RunOutcome outcome = SurvivalRun.On(engine, goesOn ? request : SurvivalRun.Impatient(request), observed);
        observed.Faults.Count.ShouldBe(request.Faults.Count);
        int underWay = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).StepsUncommittedMax;
        if (goesOn)
        {
            ShouldBeWhole(outcome, request);

            // One epoch for each loss, and where shards have copies another one when a copy is back.
            outcome.Restarts.ShouldBeInRange(1, request.Faults.Count * request.Settings.ParameterServer.Copies);
            (outcome.StepsRedone > outcome.Restarts * underWay).ShouldBe(fate == Fate.GoesBack, $"{outcome.StepsRedone} steps redone");
            return;
        }

        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldNotBeEmpty();
        if (fate == Fate.Stops)
        {
            outcome.Reason.ShouldContain("lost");
            return;
        }

        ShouldResume(request with { Faults = [] }, engine, observed.Steps[^1].Step, keepsAll: fate == Fate.StopsAndResumes);
    }

    private void LoseEverything(RunRequest request, Loss loss, string engine, int copies, Fate fate)
    {
        if (engine != SimulatedEngine.EngineName)
        {
            SurvivalRun.KillWhole(engine, request.Settings.Durability, copies, Journal);
            ShouldResume(request with { JournalFolder = Journal }, engine, SurvivalRun.LossAt, keepsAll: fate == Fate.Resumes);
            return;
        }

        int lost = 0;
        request = request with { JournalFolder = "journal" };
        foreach (ulong seed in Seeds)
        {
            SimulatedDisk disk = SurvivalRun.KillSimulated(request, loss == Loss.Power ? CrashKind.Power : CrashKind.Process, seed);
            if (fate == Fate.NotPromised)
            {
                lost += IsLost(disk) ? 1 : 0;
            }
            else
            {
                ShouldResume(request with { Disk = disk }, engine, SurvivalRun.LossAt, keepsAll: fate == Fate.Resumes);
            }
        }

        (lost > 0).ShouldBe(fate == Fate.NotPromised, "of eight losses of power one takes a step that was not synced");
    }

    /// <summary>Whether committed steps are gone, or what is left contradicts itself and is refused.</summary>
    private static bool IsLost(SimulatedDisk disk)
    {
        try
        {
            return (Engines.Journal.LastCommittedStep(disk, "journal") ?? 0) < SurvivalRun.LossAt;
        }
        catch (InvalidInputException)
        {
            return true;
        }
    }

    private static void ShouldResume(RunRequest request, string engine, long told, bool keepsAll)
    {
        string journal = request.JournalFolder!;
        long from = (ReferenceEquals(request.Disk, FileDisk.Instance)
            ? Engines.Journal.LastCommittedStep(journal)
            : Engines.Journal.LastCommittedStep(request.Disk, journal)) ?? 0;
        told.ShouldBeGreaterThan(SurvivalRun.SnapshotEvery);
        if (keepsAll)
        {
            from.ShouldBeGreaterThanOrEqualTo(told);
        }
        else
        {
            // Processes may have come further than they had told, so that another snapshot was complete.
            (from % SurvivalRun.SnapshotEvery == 0 || from == SurvivalRun.Steps).ShouldBeTrue($"resumes from {from} after {told}");
        }

        ShouldBeWhole(SurvivalRun.On(engine, request with { ResumeFromStep = from }, new Observed()), request);
    }

    private static void ShouldBeWhole(RunOutcome outcome, RunRequest request)
    {
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        outcome.Steps.ShouldBe(SurvivalRun.Steps);
        Bits.Of(outcome).ShouldBe(Bits.Of(Trainers.RunSequentially(request with { Faults = [], JournalFolder = null, ResumeFromStep = 0 })));
    }
}
