namespace DistTrain.Protocol.Schedules;

/// <summary>All schedules by name.</summary>
public static class ScheduleCatalog
{
    private static readonly Schedule[] All = [new SequentialSchedule(), new FillDrainSchedule(), new OneForwardOneBackwardSchedule()];

    /// <summary>The names, in the order of the documentation.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(schedule => schedule.Name)];

    /// <summary>The schedule of a name, or null.</summary>
    public static Schedule? Find(string name) => Array.Find(All, schedule => schedule.Name == name);
}
