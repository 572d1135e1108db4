namespace DistTrain.Commands.Tests.Papers;

/// <summary>The verb that the papers hang under.</summary>
public sealed class PaperVerbTests
{
    [Fact]
    public void WithoutOrWithAnUnknownPaperTheErrorListsThem()
    {
        using Bench bench = new();
        bench.Run("paper").ShouldBe(2);
        bench.Error.Trim().ShouldBe("disttrain paper: which one? Expected front-contribution, worked-example, xor-init or kate");
        bench.Run("paper", "kat").ShouldBe(2);
        bench.Error.ShouldContain("there is no paper 'kat'; expected front-contribution, worked-example, xor-init or kate; did you mean 'kate'?");
    }

    [Theory]
    [InlineData("front-contribution")]
    [InlineData("xor-init")]
    public void WhenItIsStoppedThereIsALineAndNoResult(string paper)
    {
        using CancellationTokenSource stop = new();
        stop.Cancel();
        using StringWriter output = new(), error = new();
        CommandHost host = new() { Out = output, Error = error, WorkingFolder = Path.GetTempPath(), Stop = stop.Token };
        CommandApp.Run(["paper", paper], [], host).ShouldBe(0);
        error.ToString().ShouldContain("stopped before there was a result");
        output.ToString().ShouldBeEmpty();
    }
}
