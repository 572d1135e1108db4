using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>calibrate</c> verb: measures this machine and writes its profile.</summary>
internal sealed class CalibrateCommand(CommandHost host)
{
    private const string DefaultFile = "machine.json";

    /// <summary>Measures and prints; returns the exit code. Nothing is written when the user stops it.</summary>
    /// <param name="file">Where the profile goes; null for <c>machine.json</c>, or for nowhere with <paramref name="json"/>.</param>
    /// <param name="threads">Compute threads; 0 for one per core.</param>
    /// <param name="json">Whether to print the profile and nothing else.</param>
    public int Execute(string? file, int threads, bool json)
    {
        string? given = file ?? (json ? null : DefaultFile);
        string? path = given is null ? null : Path.GetFullPath(given, host.WorkingFolder);
        MachineFile.CheckWritable(path, given);
        string cores = Words.Plural(threads > 0 ? threads : Environment.ProcessorCount, "compute thread");
        MachineProfile machine = Calibration.Measure($"{Environment.MachineName}, {cores}", threads, time: null, json ? null : Progress, host.Stop);
        host.Stop.ThrowIfCancellationRequested();
        if (path is not null)
        {
            MachineFile.Write(path, machine);
        }

        if (json)
        {
            host.Out.Write(MachineFile.Text(machine));
            return ExitCodes.Done;
        }

        new MachineReport(host).Print(machine);
        host.Out.WriteLine();
        host.Out.WriteLine($"Written to {given}. Use it:");
        host.Out.WriteLine($"  disttrain plan my.yaml --machine {given}");
        host.Out.WriteLine($"  simulation: {{ machine: {given}, nodes: 1, slots-per-node: {machine.Threads}, latency: 0s }}    in an experiment of engine simulated");
        return ExitCodes.Done;
    }

    private void Progress(string what, double share) => host.Error.WriteLine($"measuring {what} ({Words.Percent(share)} done)");
}
