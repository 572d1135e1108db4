using System.Globalization;

namespace DistTrain.Commands.Tests;

/// <summary>Leaves what <see cref="Engines.Journal"/> takes for a snapshot.</summary>
internal static class FakeJournal
{
    public static void Write(string folder, long step)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "snapshot"), step.ToString(CultureInfo.InvariantCulture));
    }
}
