using System.Text.Json;
using DistTrain.Commands.Papers.WorkedExample;

namespace DistTrain.Commands.Tests.Papers;

/// <summary>The lecture's numbers, and how they are judged.</summary>
public sealed class WorkedExampleTests
{
    [Theory]
    [InlineData("net_h1", "0.3775")]
    [InlineData("out_h1", "0.593269992")]
    [InlineData("E_total", "0.298371109")]
    [InlineData("dE/dw5", "0.082167041")]
    [InlineData("w5+", "0.35891648")]
    [InlineData("w8+", "0.561370121")]
    [InlineData("w1+", "0.149780716")]
    [InlineData("w4+", "0.29950229")]
    [InlineData("f = qz", "-12")]
    [InlineData("df/dz = q", "3")]
    public void TheLibraryComputesWhatTheLecturePrints(string quantity, string printed)
    {
        PrintedFigure figure = WorkedExamples.All().Single(figure => figure.Quantity == quantity);
        figure.Printed.ShouldBe(printed);
        figure.Agrees.ShouldBeTrue();
    }

    [Fact]
    public void EveryNumberHoldsAndTheOneMisprintIsProvedByTheNumberAfterIt()
    {
        IReadOnlyList<PrintedFigure> figures = WorkedExamples.All();
        figures.ShouldAllBe(figure => figure.Holds);
        PrintedFigure misprint = figures.Single(figure => figure.Misprint), next = figures.Single(figure => figure.Quantity == "out_o1");
        misprint.Agrees.ShouldBeFalse();
        Math.Abs((1 / (1 + Math.Exp(-misprint.PrintedValue))) - next.PrintedValue).ShouldBeGreaterThan(1e-7);
        (1 / (1 + Math.Exp(-misprint.Ours))).ShouldBe(next.PrintedValue, 1e-8);
    }

    [Theory]
    [InlineData("0.3775", 0.37754, true)]
    [InlineData("0.3775", 0.37756, false)]
    [InlineData("-0.20", -0.1951, true)]
    [InlineData("-0.20", -0.1949, false)]
    [InlineData("3", 3.4, true)]
    [InlineData("3", double.NaN, false)]
    public void OursAgreesWhereItRoundsToThePrintedDigits(string printed, double ours, bool agrees) =>
        new PrintedFigure("", "", printed, ours).Agrees.ShouldBe(agrees);

    [Fact]
    public void TheCommandPrintsBothAndSucceeds()
    {
        using Bench bench = new();
        bench.Run("paper", "worked-example").ShouldBe(0);
        bench.Out.ShouldContain("0.593269992107");
        bench.Out.ShouldContain("reproduced as far as their digits go; 1 misprint in the lecture");
        bench.Run("paper", "worked-example", "--json").ShouldBe(0);
        using JsonDocument json = JsonDocument.Parse(bench.Out);
        json.RootElement.GetProperty("holds").GetBoolean().ShouldBeTrue();
        json.RootElement.GetProperty("figures").GetArrayLength().ShouldBe(WorkedExamples.All().Count);
    }
}
