namespace DistTrain.Data;

/// <summary>
/// SHA-256 over rows as their source gave them: inputs before scaling, labels and targets. It depends on neither precision nor
/// scaling, so that every machine gets the same for the same files.
/// </summary>
/// <param name="Train">Of the training rows, lower-case hexadecimal.</param>
/// <param name="Test">Of the test rows; null where there are none.</param>
public sealed record DataFingerprint(string Train, string? Test);
