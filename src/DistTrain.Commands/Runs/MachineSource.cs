using DistTrain.Engines;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Runs;

/// <summary>Where a plan takes its machine from.</summary>
/// <param name="Calibrate">Whether this machine is measured.</param>
/// <param name="File">The profile's file, read, or written after a calibration; null for none.</param>
internal sealed record MachineSource(bool Calibrate, string? File)
{
    /// <summary>The profile; null where neither is asked for. Throws <see cref="Numerics.InvalidInputException"/> for a file that is none.</summary>
    public MachineProfile? Profile(string workingFolder)
    {
        string? path = File is null ? null : Path.GetFullPath(File, workingFolder);
        if (!Calibrate)
        {
            return path is null ? null : MachineFile.Read(path);
        }

        MachineProfile measured = Calibration.Measure("calibrated");
        if (path is not null)
        {
            MachineFile.Write(path, measured);
        }

        return measured;
    }
}
