using DistTrain.Conformance.Support;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Tests.Support;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Tests.Storage;

/// <summary>Stops a simulated run at every boundary of its disk, goes on from what is left, and says what did not hold.</summary>
internal static class CrashBoundaries
{
    public const string Folder = "journal";

    /// <summary>A run of 5 steps an epoch on two shards, with a snapshot every second step.</summary>
    public static RunRequest Request(Durability durability, int epochs, Func<RunSettings, RunSettings>? change = null) => Runs.Of(settings =>
    {
        RunSettings all = settings with
        {
            Durability = durability,
            Training = settings.Training with { Epochs = epochs, BatchSize = 8 },
            ParameterServer = new ParameterServerSettings { Shards = 2 },
            CheckpointEverySteps = 2,
        };
        return change?.Invoke(all) ?? all;
    }) with { JournalFolder = Folder, Simulation = new SimulationSettings { Journal = false } };

    /// <summary>The same with two copies of each shard, and a coordinator that is lost at step 3.</summary>
    public static RunRequest WithCopies(RunRequest request) => request with
    {
        Settings = request.Settings with { ParameterServer = request.Settings.ParameterServer with { Copies = 2 } },
        Faults = [new CrashFault(ActorId.Coordinator, TimeSpan.Zero) { At = FaultTime.AtStep(3) }],
    };

    /// <summary>Visits every boundary once for each seed; what is left is lost as the kind says, and the process that goes on is stopped once in turn.</summary>
    public static CrashReport Visit(RunRequest request, CrashKind kind, int seeds, bool syncs = true)
    {
        SimulatedDisk whole = new(syncs);
        RunOutcome expected = Run(request, whole, 0, new Observed());
        string bits = Bits.Of(expected);
        List<string> violations = [];
        long visits = 0, redone = 0;
        for (long boundary = 1; boundary <= whole.Boundaries; boundary++)
        {
            for (ulong seed = 1; seed <= (ulong)seeds; seed++)
            {
                visits++;
                string what = $"boundary {boundary} of {whole.Boundaries}, {kind}, seed {seed}";
                try
                {
                    redone = Math.Max(redone, Visit(request, kind, boundary, seed, syncs, bits, what, violations));
                }
                catch (Exception exception) when (exception is not OutOfMemoryException)
                {
                    violations.Add($"{what}: {exception.GetType().Name}: {exception.Message}");
                }
            }
        }

        return new CrashReport(whole.Boundaries, visits, redone, violations);
    }

    /// <summary>Runs on a disk, from a step.</summary>
    public static RunOutcome Run(RunRequest request, SimulatedDisk disk, long from, Observed observed)
    {
        using SimulatedRun run = new(request with { Disk = disk, ResumeFromStep = from }, observed);
        return run.ToEnd(default);
    }

    private static long Visit(
        RunRequest request, CrashKind kind, long boundary, ulong seed, bool syncs, string bits, string what, List<string> violations)
    {
        Draw draw = new(seed, (int)boundary);
        SimulatedDisk disk = new(syncs) { CrashAt = boundary };
        long committed = 0, redone = 0;
        for (int crashes = 0; ; crashes++)
        {
            Observed observed = new();
            long from = Journal.LastCommittedStep(disk, Folder) ?? 0;
            redone = Math.Max(redone, committed - from);
            if (from < committed && request.Settings.Durability != Durability.Memory)
            {
                violations.Add($"{what}: step {committed} was committed, and the disk knows of step {from} only");
                return redone;
            }

            try
            {
                RunOutcome outcome = Run(request, disk, from, observed);
                if (outcome.Status != RunStatus.Completed || Bits.Of(outcome) != bits)
                {
                    violations.Add($"{what}: {outcome.Status} with other weights: {outcome.Reason}");
                }

                return redone;
            }
            catch (SimulatedCrashException)
            {
                committed = Math.Max(committed, observed.Steps.Count > 0 ? observed.Steps[^1].Step : from);
                disk = disk.AfterCrash(kind, (seed * 1000) + (ulong)crashes, crashes == 0 ? draw.From(1, 20) : long.MaxValue);
            }
        }
    }
}

/// <summary>What visiting every boundary showed.</summary>
/// <param name="Boundaries">Boundaries of the undisturbed run.</param>
/// <param name="Visits">Runs that were stopped.</param>
/// <param name="StepsLostMax">Committed steps that the disk did not know of, at worst.</param>
/// <param name="Violations">What did not hold.</param>
internal sealed record CrashReport(long Boundaries, long Visits, long StepsLostMax, List<string> Violations);
