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

// A run stops at a committed step, and a node leaves.
using CancellationTokenSource stop = new();
using StopSignals signals = new(stop, () => Console.Error.WriteLine("disttrain: stopping in order; once more to abort"));

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
