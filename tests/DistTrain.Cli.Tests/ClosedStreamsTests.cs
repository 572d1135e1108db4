using Shouldly;
using Xunit;

namespace DistTrain.Cli.Tests;

/// <summary>Standard streams that a shell has closed, or bound to a device without room.</summary>
public sealed class ClosedStreamsTests : IDisposable
{
    private readonly Disttrain _disttrain = new();

    public void Dispose() => _disttrain.Dispose();

    [SkippableTheory]
    [InlineData("2>&- >/dev/null")]
    [InlineData("2>/dev/full >/dev/null")]
    public void ARunEndsWellWhereStandardErrorCannotBeWritten(string streams)
    {
        Shell($"train xor --json --out run {streams}").Code.ShouldBe(0);
        File.Exists(Path.Combine(_disttrain.Folder, "run", "model.safetensors")).ShouldBeTrue();
        File.ReadAllText(Path.Combine(_disttrain.Folder, "run", "summary.json")).ShouldContain("\"completed\"");
        Shell($"train nope {streams}").Code.ShouldBe(2);
        Shell($"evaluate nope {streams}").Code.ShouldBe(2);
    }

    [SkippableTheory]
    [InlineData(">&-")]
    [InlineData(">/dev/full")]
    public void ARunEndsWellWhereStandardOutputCannotBeWrittenAndItsJsonIsMissed(string streams)
    {
        (int code, string error) = Shell($"train xor --out run {streams}");
        code.ShouldBe(0, error);
        error.ShouldContain("disttrain train: standard output cannot be written: ");
        File.Exists(Path.Combine(_disttrain.Folder, "run", "model.safetensors")).ShouldBeTrue();

        (code, error) = Shell($"evaluate run --json {streams}");
        code.ShouldBe(3, error);
        error.ShouldContain("disttrain evaluate: standard output cannot be written: ");
    }

    private (int Code, string Error) Shell(string arguments)
    {
        Skip.IfNot(File.Exists("/dev/full"), "There is no /dev/full here.");
        (int code, _, string error) = _disttrain.Shell(arguments);
        return (code, error);
    }
}
