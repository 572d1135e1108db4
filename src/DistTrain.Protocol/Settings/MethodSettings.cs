namespace DistTrain.Protocol.Settings;

/// <summary>A method by its name and the schedule that it runs on.</summary>
/// <param name="Name">For example <c>backprop</c>; see <see cref="Methods.MethodCatalog"/>.</param>
/// <param name="Schedule"><c>sequential</c>, <c>fill-drain</c> or <c>1f1b</c>.</param>
public sealed record MethodSettings(string Name = "backprop", string Schedule = "1f1b");
