using DistTrain.Engines.Storage;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Engines.Tests.Storage;

public sealed class CrashBoundaryTests(ITestOutputHelper output)
{
    private static readonly int Seeds = Amount.Of("DISTTRAIN_BOUNDARY_SEEDS", 2);

    // Five steps each.
    private static readonly int Epochs = Amount.Of("DISTTRAIN_BOUNDARY_STEPS", 5) / 5;

    [Theory]
    [InlineData("memory", "Process")]
    [InlineData("memory", "Power")]
    [InlineData("step", "Process")]
    [InlineData("power", "Process")]
    [InlineData("power", "Power")]
    public void ACrashAtAnyWriteBoundaryLosesNoCommittedStep(string durability, string kind)
    {
        CrashReport report = Visit(durability, kind);
        output.WriteLine($"{5 * Epochs} steps, {durability}, {kind}: {report.Boundaries} boundaries, {report.Visits} crashes");
        report.Boundaries.ShouldBeGreaterThan(30);
        report.Violations.ShouldBeEmpty();
    }

    /// <summary>Two copies of each shard keep themselves on one disk, and a coordinator takes over on the way: views and promises are in the log too.</summary>
    [Theory]
    [InlineData("step", "Process")]
    [InlineData("power", "Power")]
    public void WithTwoCopiesACrashAtAnyWriteBoundaryLosesNoCommittedStepEither(string durability, string kind)
    {
        RunRequest request = CrashBoundaries.WithCopies(CrashBoundaries.Request(Enum.Parse<Durability>(durability, ignoreCase: true), Epochs));
        CrashReport report = CrashBoundaries.Visit(request, Enum.Parse<CrashKind>(kind), seeds: kind == "Power" ? Seeds : 1);
        output.WriteLine($"{5 * Epochs} steps, {durability}, {kind}, two copies: {report.Boundaries} boundaries, {report.Visits} crashes");
        report.Boundaries.ShouldBeGreaterThan(30);
        report.Violations.ShouldBeEmpty();
    }

    [Fact]
    public void ADiskWhoseSyncDoesNothingIsFoundOut()
    {
        CrashReport report = CrashBoundaries.Visit(CrashBoundaries.Request(Durability.Power, epochs: 1), CrashKind.Power, seeds: 1, syncs: false);
        report.Violations.ShouldContain(violation => violation.Contains("was committed", StringComparison.Ordinal));
    }

    private static CrashReport Visit(string durability, string kind) => CrashBoundaries.Visit(
        CrashBoundaries.Request(Enum.Parse<Durability>(durability, ignoreCase: true), Epochs), Enum.Parse<CrashKind>(kind), seeds: kind == "Power" ? Seeds : 1);
}
