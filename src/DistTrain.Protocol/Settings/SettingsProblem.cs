namespace DistTrain.Protocol.Settings;

/// <summary>Something in the settings that cannot be served.</summary>
/// <param name="Key">Path of the key in the experiment file, for example <c>parameter-server.aggregate</c> or
/// <c>network[2]</c>.</param>
/// <param name="Message">What is wrong and what would be right.</param>
public sealed record SettingsProblem(string Key, string Message);
