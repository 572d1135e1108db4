using System.Runtime.InteropServices;
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

// The first Ctrl-C (or SIGTERM) stops a run at a committed step; the second ends the process at once.
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

return CommandApp.Run(args, engines, host);

void OnSignal(PosixSignalContext signal)
{
    if (!stop.IsCancellationRequested)
    {
        signal.Cancel = true;
        host.Error.WriteLine("disttrain: stopping at the next committed step; once more to abort");
        stop.Cancel();
    }
}
