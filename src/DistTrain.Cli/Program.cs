using DistTrain.Commands;
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

IEngine[] engines = [new ThreadsEngine(), new SimulatedEngine(), new ProcessesEngine()];

using CancellationTokenSource stop = new();
CommandHost host = new()
{
    Out = Console.Out,
    Error = Console.Error,
    WorkingFolder = Environment.CurrentDirectory,
    Interactive = !Console.IsOutputRedirected,
    Stop = stop.Token,
    Dashboard = new DashboardPages(),
    Trace = Environment.GetEnvironmentVariable("DISTTRAIN_TRACE") == "1",
};

string stopping = args is ["train", ..] ? "stopping at the next committed step" : "stopping";
using StopSignals signals = new(stop, () => host.Error.WriteLine($"disttrain: {stopping}; once more to abort"));
return CommandApp.Run(args, engines, host);
