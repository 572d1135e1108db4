using System.Text;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class CsvInputsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ColumnsThatShareANameAreToldApartByTheirOrder()
    {
        CsvSpec run = Run("x,y,x\n1,2,3\n") with { Label = "y" };
        Find("y,x,x\n5,6,7\n", run, 2).Spec.FeatureColumns.ShouldBe([1, 2]);
        Find("x,x\n6,7\n", run, 2).Spec.FeatureColumns.ShouldBe([0, 1]);
        Should.Throw<InvalidInputException>(() => Find("x,y\n6,7\n", run, 2)).Message.ShouldBe("rows: several columns are named 'x'; expected 2 as in the run's file");
    }

    [Fact]
    public void ColumnsNamedByNumbersAreAHeaderOnlyAsAWhole()
    {
        CsvSpec run = Run("0,1,2\n5,6,7\n") with { Label = "2" };
        Find("0,1,2\n5,6,7\n", run, 2).Spec.Header.ShouldBeTrue();
        Find("0,1\n5,6\n", run, 2).Spec.Header.ShouldBeTrue();
        Find("1,0\n5,6\n", run, 2).Spec.Header.ShouldBeFalse();
    }

    [Fact]
    public void FilesForARunOfOtherDataHaveAHeaderWhereNothingInTheFirstLineIsANumber()
    {
        Find("a,b\n1,2\n", run: null, 2).Spec.Header.ShouldBeTrue();
        Find("1,2\n", run: null, 2).Spec.Header.ShouldBeFalse();
        Find("1,x\n", run: null, 2).Spec.Header.ShouldBeFalse("a damaged row must be refused, not left out");
        Should.Throw<InvalidInputException>(() => Find("1,2,3\n", run: null, 2)).Message.ShouldBe("rows: its rows have 3 columns; expected the network's 2 inputs");
    }

    [Fact]
    public void AFileOfSkippedLinesOnlyHasNoRow()
    {
        CsvSpec run = Run("made by hand\na,y\n1,2\n") with { Label = "y", SkipLines = 1 };
        Should.Throw<InvalidInputException>(() => Find("hello\n", run, 1)).Message.ShouldBe("rows: there is no row in the file; expected one row of 1 inputs a line");
        Find("a \"torn\" line\n\na\n3\n", run with { SkipLines = 1 }, 1).LeftOut.ShouldBe(["a \"torn\" line"]);
    }

    private CsvSpec Run(string text) => new(_folder.Bytes("run.csv", Encoding.UTF8.GetBytes(text)));

    private CsvInputs Find(string text, CsvSpec? run, int inputs) =>
        CsvInputs.Find("rows", _folder.Bytes("rows.csv", Encoding.UTF8.GetBytes(text)), run, inputs);
}
