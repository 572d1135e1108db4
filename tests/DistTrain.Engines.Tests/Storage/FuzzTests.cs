using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Engines.Tests.Storage;

public sealed class FuzzTests(ITestOutputHelper output)
{
    private static readonly int Inputs = Amount.Of("DISTTRAIN_FUZZ_INPUTS", 50_000);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void DamagedLogsSnapshotsAndJournalsAreRefusedInWordsOrReadRight(int copies)
    {
        Fuzz fuzz = new(copies);
        fuzz.Files.Count.ShouldBeGreaterThanOrEqualTo(4);
        List<string> problems = fuzz.Run(Inputs / 2, seed: (ulong)copies);
        output.WriteLine($"{Inputs / 2} inputs, {copies} copies of each shard: {fuzz.Counts}");
        problems.ShouldBeEmpty();
        fuzz.Counts.Refused.ShouldBeGreaterThan(Inputs / 4);
        fuzz.Counts.Torn.ShouldBeGreaterThan(0);
    }
}
