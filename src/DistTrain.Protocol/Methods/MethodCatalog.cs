namespace DistTrain.Protocol.Methods;

/// <summary>All methods by name.</summary>
public static class MethodCatalog
{
    /// <summary>The method that takes settings of its own.</summary>
    public const string FrontContribution = Methods.FrontContribution.MethodName;

    private static readonly Method[] All =
    [
        new Backprop(),
        new PipeDream(),
        new FrontContribution(),
        new DelayedGradient(replays: false),
        new DelayedGradient(replays: true),
        new SyntheticGradient(),
        new FeedbackAlignment(),
        new DirectFeedbackAlignment(),
        new LocalLoss(),
        new Greedy(),
        new HsicBottleneck(),
        new TargetPropagation(),
        new FinalLayerOnly(),
    ];

    /// <summary>The names, in the order of the documentation.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(method => method.Name)];

    /// <summary>The names of those that run on a schedule.</summary>
    public static IReadOnlyList<string> WithSchedule { get; } = [.. All.Where(method => method.HasSchedule).Select(method => method.Name)];

    /// <summary>The method of a name, or null.</summary>
    public static Method? Find(string name) => Array.Find(All, method => method.Name == name);
}
