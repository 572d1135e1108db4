using System.Runtime.InteropServices;
using DistTrain.Akka.Clients;
using DistTrain.Akka.Verbs;
using DistTrain.Commands;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Verbs;
using DistTrain.Dashboard;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;

if (HostActorsCommand.IsAsked(args))
{
    return HostActorsCommand.Run();
}

// The first Ctrl-C (or SIGTERM) stops a run at a committed step, and lets a node leave; the second ends the process at once.
using CancellationTokenSource stop = new();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

ClusterOptions cluster = new(Environment.CurrentDirectory);
CommandHost host = new()
{
    Out = Console.Out,
    Error = Console.Error,
    WorkingFolder = Environment.CurrentDirectory,
    Interactive = !Console.IsOutputRedirected,
    Stop = stop.Token,
    Dashboard = new DashboardPages(),
    LastSnapshotStep = journal => KeptRunFinder.LastCommittedStep(journal, cluster.Target),
    Trace = Environment.GetEnvironmentVariable("DISTTRAIN_TRACE") == "1",
};

IEngine[] engines = [new ThreadsEngine(), new SimulatedEngine(), new ProcessesEngine(), new AkkaEngine(cluster.Target)];

// Whoever names a cluster wants it to train.
bool isAsked = args is ["train", ..] && args.Any(ClusterOptions.Names) && !args.Any(arg => arg.StartsWith("--engine", StringComparison.Ordinal));
string[] given = isAsked ? [.. args, "--engine", ClusterExperiment.EngineName] : args;
System.CommandLine.Command[] verbs = [NodeCommand.Create(host), StatusCommand.Create(host)];
return CommandApp.Run(given, engines, host, verbs, cluster.Options);

void OnSignal(PosixSignalContext signal)
{
    if (!stop.IsCancellationRequested)
    {
        signal.Cancel = true;
        Console.Error.WriteLine("disttrain: stopping in order; once more to abort");

        // Leaving waits for others, and this thread is needed for the second signal.
        ThreadPool.QueueUserWorkItem(_ => stop.Cancel());
    }
}
