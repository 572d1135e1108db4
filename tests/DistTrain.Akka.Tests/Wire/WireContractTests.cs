using DistTrain.Akka.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Wire;

public sealed class WireContractTests
{
    [Fact]
    public void TheWireContractIsTheFrozenOne()
    {
        // A change here needs a new WireContract.Version, and the file written anew.
        string[] frozen = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Wire", "wire-contract.txt"));
        WireContract.Lines.ShouldBe(frozen);
    }

    [Fact]
    public void NoManifestNamesAType()
    {
        foreach (string line in WireContract.Lines)
        {
            string manifest = line[..line.IndexOf(':', StringComparison.Ordinal)];
            manifest.ShouldNotContain(",");
            Type.GetType(manifest).ShouldBeNull();
            manifest.ShouldEndWith($"/{WireContract.Version}");
        }
    }
}
