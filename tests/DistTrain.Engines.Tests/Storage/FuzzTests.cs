using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Engines.Tests.Storage;

public sealed class FuzzTests(ITestOutputHelper output)
{
    private static readonly int Inputs = Amount.Of("DISTTRAIN_FUZZ_INPUTS", 50_000);

    [Fact]
    public void DamagedLogsSnapshotsAndJournalsAreRefusedInWordsOrReadRight()
    {
        Fuzz fuzz = new();
        fuzz.Files.Count.ShouldBeGreaterThanOrEqualTo(4);
        List<string> problems = fuzz.Run(Inputs, seed: 1);
        output.WriteLine($"{Inputs} inputs: {fuzz.Counts}");
        problems.ShouldBeEmpty();
        fuzz.Counts.Refused.ShouldBeGreaterThan(Inputs / 2);
        fuzz.Counts.Torn.ShouldBeGreaterThan(0);
    }
}
