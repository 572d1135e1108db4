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
        Patience = Limits.RetryCap,
    });

    /// <summary>The fault that a loss is, where a scenario can say it.</summary>
    public static Fault FaultOf(Loss loss, RunRequest request)
    {
        Topology topology = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
        Fault fault = loss switch
        {
            Loss.LayerActor => new CrashFault(topology.LayerActor(0, 1), TimeSpan.Zero),
            Loss.LayerActorForGood => new CrashFault(topology.LayerActor(0, 0), null),
            Loss.Shard => new CrashFault(topology.Shard(1), TimeSpan.Zero),
            Loss.Coordinator => new CrashFault(ActorId.Coordinator, TimeSpan.Zero),
            Loss.Room => new DiskFault(topology.Shard(0), DiskProblem.Full),
            Loss.Write => new DiskFault(topology.Shard(0), DiskProblem.TornWrite),
            _ => throw new ArgumentOutOfRangeException(nameof(loss)),
        };
        return fault with { At = FaultTime.AtStep(LossAt) };
    }

    public static RunOutcome On(string engine, RunRequest request, IRunObserver observer)
    {
        IEngine chosen = EngineOf(engine);
        request = engine == ProcessesEngine.EngineName ? ProcessRuns.Readable(request, 2) : request;
        return chosen.Refuses(request) is string refusal ? throw new InvalidOperationException(refusal) : chosen.Run(request, observer, default);
    }

    /// <summary>What the program does: trains in a journal folder, and kills itself at a step.</summary>
    public static int UntilKilled(string engine, Durability durability, int copies, string journal, long at)
    {
        On(engine, Request(durability, copies) with { JournalFolder = journal }, new Observed { AtStep = step => KillSelf(step == at) });
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

    private static IEngine EngineOf(string engine) => engine switch
    {
        ThreadsEngine.EngineName => new ThreadsEngine(),
        SimulatedEngine.EngineName => new SimulatedEngine(),
        _ => new ProcessesEngine(ProcessRuns.Program),
    };

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
