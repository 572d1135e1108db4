using DistTrain.Akka.Nodes;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Nodes;

public sealed class DataFilesTests
{
    [Theory]
    [InlineData("/srv/data", "a/b.csv", "/srv/data/a/b.csv")]
    [InlineData("/srv/data", "a/../b.csv", "/srv/data/b.csv")]
    [InlineData("/srv/data", "..b.csv", "/srv/data/..b.csv")]
    [InlineData("/", "etc/b.csv", "/etc/b.csv")]
    [InlineData("/srv/data", "../data-secret/b.csv", null)]
    [InlineData("/srv/data", "../b.csv", null)]
    [InlineData("/srv/data", "/etc/passwd", null)]
    [InlineData("/srv/data", ".", null)]
    [InlineData("/srv/data", "..", null)]
    public void APathIsOneBelowTheFolderOrNone(string folder, string path, string? full) => DataFiles.Below(folder, path).ShouldBe(full);
}
