using System.Globalization;

namespace DistTrain.Engines.Tests.Storage;

/// <summary>How much a test does: what the environment asks for, or what suits every build.</summary>
internal static class Amount
{
    public static int Of(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
