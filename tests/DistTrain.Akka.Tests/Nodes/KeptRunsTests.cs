using DistTrain.Akka.Nodes;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Nodes;

public sealed class KeptRunsTests : IDisposable
{
    private static readonly DateTime Past = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("disttrain-kept-");

    [Fact]
    public void TheNewestRunsStayBesideTheOneThatBeginsAndNothingElseIsTouched()
    {
        // The run that begins is the oldest of all; a file counts however deep it lies.
        Write("run-a", day: 0);
        Write("run-b", day: 1);
        Write("run-c", day: 3);
        Write("run-d", day: 2);
        Write("run-of-mine", day: 0);
        List<string> lines = [];
        KeptRuns.Bound(_folder.FullName, 0xa, most: 1, lines.Add);
        _folder.EnumerateDirectories().Select(folder => folder.Name).Order(StringComparer.Ordinal).ShouldBe(["run-a", "run-c", "run-of-mine"]);
        lines.Count.ShouldBe(2);
        lines.ShouldAllBe(line => line.Contains("kept-runs", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void Write(string run, int day)
    {
        string deep = Directory.CreateDirectory(Path.Combine(_folder.FullName, run, "lead-000001")).FullName, file = Path.Combine(deep, "part");
        File.WriteAllText(file, run);
        File.SetLastWriteTimeUtc(file, Past.AddDays(day));
        Directory.SetLastWriteTimeUtc(deep, Past);
        Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(deep)!, Past);
    }
}
