using System.Text.RegularExpressions;
using DistTrain.Numerics;

namespace DistTrain.Akka.Configuration;

/// <summary>Puts values of the environment into a configuration, as HOCON has it: <c>${NAME}</c>, and <c>${?NAME}</c> for one that may be
/// missing. Akka.NET's own parser knows only settings by these names.</summary>
internal static partial class EnvironmentText
{
    /// <summary>The text with the values in it, as quoted strings. Throws <see cref="InvalidInputException"/> when one is missing.</summary>
    public static string Fill(string text, string file) => Names().Replace(text, match =>
    {
        string name = match.Groups["name"].Value;
        string? value = Environment.GetEnvironmentVariable(name);
        if (value is null && !match.Groups["optional"].Success)
        {
            throw new InvalidInputException($"{file}: {match.Value}: the environment has no {name}; expected it to be set");
        }

        return $"\"{(value ?? "").Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    });

    // Settings of HOCON are in lower case; what is all in capitals is the environment's.
    [GeneratedRegex(@"\$\{(?<optional>\?)?(?<name>[A-Z][A-Z0-9_]*)\}")]
    private static partial Regex Names();
}
