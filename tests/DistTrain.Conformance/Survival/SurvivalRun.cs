using System.Diagnostics;
using DistTrain.Conformance.Processes;
using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Threads;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Conformance.Survival;

/// <summary>The run of every cell: 40 steps, a snapshot every 16, and the loss at step 22, so that what goes back to a snapshot is told from what does not.</summary>
internal static class SurvivalRun
{
    public const int Steps = 40, SnapshotEvery = 16, LossAt = 22;

    /// <summary>The argument that makes this assembly's program run one and end it by SIGKILL.</summary>
    public const string Verb = "run-until-killed";

    public static RunRequest Request(Durability durability, int copies) => ProcessesTests.Base(settings => settings with
    {
        Training = new TrainingSettings(10, 10, 2),
        CheckpointEverySteps = SnapshotEvery,
        Durability = durability,
        ParameterServer = new ParameterServerSettings { Shards = 2, Copies = copies },
        Patience = TimeSpan.FromMinutes(2),
    });

    /// <summary>The same run where nothing comes that could be waited for.</summary>
    public static RunRequest Impatient(RunRequest request) => request with { Settings = request.Settings with { Patience = Limits.RetryCap } };

    /// <summary>The faults that a loss is, where a scenario can say it; all begin at the same step.</summary>
    public static Fault[] FaultsOf(Loss loss, RunRequest request)
    {
        Topology topology = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
        ActorId[] copies = [.. Enumerable.Range(0, topology.Copies).Select(copy => topology.Shard(1, copy))];
        Fault[] faults = loss switch
        {
            Loss.LayerActor => [Crash(topology.LayerActor(0, 1))],
            Loss.LayerActorForGood => [new CrashFault(topology.LayerActor(0, 0), null)],
            Loss.Shard => [Crash(copies[0])],
            Loss.EveryCopy => [.. copies.Select(Crash)],
            Loss.Coordinator => [Crash(ActorId.Coordinator)],
            Loss.CoordinatorAndShard => [Crash(copies[0]), Crash(ActorId.Coordinator)],
            Loss.NodeOfLayerActor => [new NodeLossFault(topology.LayerActor(0, 1), null)],
            Loss.NodeOfShard => [new NodeLossFault(copies[0], null)],
            Loss.NodeOfCoordinator => [new NodeLossFault(ActorId.Coordinator, null)],
            Loss.NodesOfEveryCopy => [.. copies.Select(copy => new NodeLossFault(copy, null))],
            Loss.Room => [new DiskFault(topology.Shard(0), DiskProblem.Full)],
            Loss.Write => [new DiskFault(topology.Shard(0), DiskProblem.TornWrite)],
            _ => throw new ArgumentOutOfRangeException(nameof(loss)),
        };
        return [.. faults.Select(fault => fault with { At = FaultTime.AtStep(LossAt) })];
    }

    /// <summary>Why an engine does not take a run; null when it does.</summary>
    public static string? Refusal(string engine, RunRequest request) =>
        EngineOf(engine).Refuses(engine == ProcessesEngine.EngineName ? ProcessRuns.Readable(request, 2) : request);

    public static RunOutcome On(string engine, RunRequest request, IRunObserver observer)
    {
        IEngine chosen = EngineOf(engine);
        request = engine == ProcessesEngine.EngineName ? ProcessRuns.Readable(request, 2) : request;
        return chosen.Refuses(request) is string refusal ? throw new InvalidOperationException(refusal) : chosen.Run(request, observer, default);
    }

    /// <summary>What the program does: trains in a journal folder, and kills itself at a step.</summary>
    public static int UntilKilled(string engine, Durability durability, int copies, string journal, long at)
    {
        RunRequest request = Request(durability, copies) with { JournalFolder = journal };
        if (engine == ProcessesEngine.EngineName)
        {
            ProcessRuns.Run(ProcessRuns.Readable(request, 2), new Observed(), (run, step) => KillEverything(run, step == at));
            return 0;
        }

        On(engine, request, new Observed { AtStep = step => KillSelf(step == at) });
        return 0;
    }

    /// <summary>Starts that program and waits for its end.</summary>
    public static void KillWhole(string engine, Durability durability, int copies, string journal, long at = LossAt)
    {
        string[] arguments = [engine, durability.ToString(), $"{copies}", journal, $"{at}"];
        ProcessStartInfo start = new("dotnet", ["exec", typeof(SurvivalRun).Assembly.Location, Verb, .. arguments])
        {
            RedirectStandardInput = true,
        };
        using Process process = Process.Start(start)!;
        process.WaitForExit();
    }

    /// <summary>A simulated machine's disk as the loss of everything leaves it.</summary>
    public static SimulatedDisk KillSimulated(RunRequest request, CrashKind kind, ulong seed)
    {
        SimulatedDisk disk = new();
        try
        {
            using SimulatedRun run = new(request with { Disk = disk }, new Observed { AtStep = StopSimulation });
            run.ToEnd(default);
        }
        catch (SimulatedCrashException)
        {
            return disk.AfterCrash(kind, seed);
        }

        throw new InvalidOperationException("The run ended before its loss.");
    }

    private static CrashFault Crash(ActorId actor) => new(actor, TimeSpan.Zero);

    private static IEngine EngineOf(string engine) => engine switch
    {
        ThreadsEngine.EngineName => new ThreadsEngine(),
        SimulatedEngine.EngineName => new SimulatedEngine(),
        _ => new ProcessesEngine(ProcessRuns.Program),
    };

    /// <summary>Children would end by themselves, but a moment later.</summary>
    private static void KillEverything(ProcessesRun run, bool now)
    {
        if (now)
        {
            foreach ((string name, _) in run.Living)
            {
                Signals.Kill(run, name);
            }

            KillSelf(now);
        }
    }

    private static void KillSelf(bool now)
    {
        if (now)
        {
            using Process self = Process.GetCurrentProcess();
            self.Kill();
        }
    }

    private static void StopSimulation(long step)
    {
        if (step == LossAt)
        {
            throw new SimulatedCrashException($"stopped at step {step}");
        }
    }
}
