using System.Text.Json;
using Shouldly;
using Xunit;

namespace DistTrain.Cli.Tests;

/// <summary>
/// The files of <c>examples/</c> as a reader would run them, on the public data sets where those are kept in
/// <c>shared/data</c> beside the project or above it;
/// skipped otherwise. The bounds are what PyTorch reaches, less what seeds differ by.
/// </summary>
public sealed class ExampleTests : IDisposable
{
    private readonly Disttrain _disttrain = new();

    public void Dispose() => _disttrain.Dispose();

    [SkippableTheory]
    [InlineData("fashion", "fashion-mnist", 0.89)]
    [InlineData("optdigits", "optdigits", 0.955)]
    [InlineData("iris", "small", 0.9)]
    [InlineData("20news", "20news", 0.70)]
    public void AnExampleReachesItsTestAccuracyWithEachLayerItsOwnActor(string example, string needs, double accuracy)
    {
        string? data = Above("shared/data"), examples = Above("examples");
        Skip.If(data is null || !Directory.Exists(Path.Combine(data, needs)), $"The data set {needs} is not here.");
        File.Copy(Path.Combine(examples!, $"{example}.yaml"), Path.Combine(_disttrain.Folder, $"{example}.yaml"));
        Directory.CreateSymbolicLink(Path.Combine(_disttrain.Folder, "data"), data!);

        (int code, string output, string error) = _disttrain.Run("train", $"{example}.yaml", "--json");

        code.ShouldBe(0, error);
        using JsonDocument summary = JsonDocument.Parse(output);
        summary.RootElement.GetProperty("test_accuracy").GetDouble().ShouldBeGreaterThanOrEqualTo(accuracy);
        summary.RootElement.GetProperty("messages").GetProperty("by_type").GetProperty("activation").GetInt64()
            .ShouldBeGreaterThanOrEqualTo(summary.RootElement.GetProperty("steps").GetInt64());
    }

    private static string? Above(string name)
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, name);
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        return null;
    }
}
