using System.Globalization;

namespace DistTrain.Commands.Tests;

/// <summary>What stands for snapshots beside <see cref="FakeEngine"/>: a file with the step.</summary>
internal static class FakeJournal
{
    public static void Write(string folder, long step)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "snapshot"), step.ToString(CultureInfo.InvariantCulture));
    }

    public static long? Read(string folder)
    {
        string file = Path.Combine(folder, "snapshot");
        return File.Exists(file) ? long.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture) : null;
    }
}
