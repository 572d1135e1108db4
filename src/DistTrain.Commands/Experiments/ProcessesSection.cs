using DistTrain.Engines.Processes;

namespace DistTrain.Commands.Experiments;

/// <summary>The section <c>processes:</c>, read and written.</summary>
internal static class ProcessesSection
{
    /// <summary>Reads the processes that layer actors are spread over; 0 for as many as there are cores.</summary>
    public static int ReadWorkers(MapReader root)
    {
        if (root.Group("processes", "{ workers: 2 }") is not MapReader reader)
        {
            return 0;
        }

        int workers = reader.Whole("workers", 0, ProcessesEngine.WorkersMax) ?? 0;
        reader.Finish();
        return workers;
    }

    /// <summary>Writes the section.</summary>
    public static void Write(YamlText yaml, int workers) => yaml.Key("workers", workers);
}
