using System.IO.Compression;
using System.Text;

namespace DistTrain.Commands.Tests.Runs;

public sealed class PredictTests : IDisposable
{
    private const string Rows = "a,b,y\n1,2,0\n4,1,1\n-3,0.5,2\n2,2,0\n";

    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("b,a\n2,1\n1,4\n")]
    [InlineData("y,b,a\n0,2,1\n1,1,4\n")]
    [InlineData("a,b,y\n1,2,\n4,1,none of the classes\n")]
    [InlineData("1,2\n4,1\n")]
    [InlineData("1,2,0\n4,1,7\n")]
    [InlineData("\"b\", a\r\n2,1\r\n1,4")]
    public void InputsAreFoundByNameOrElseByPlace(string text)
    {
        Train(Rows);
        string expected = Predicted("a,b\n1,2\n4,1\n");
        expected.TrimEnd().Split('\n').Length.ShouldBe(3);
        Predicted(text).ShouldBe(expected);
    }

    [Theory]
    [InlineData("x,z\n1,2\n", "there is no column 'a', which the network takes; there are 'x', 'z'")]
    [InlineData("a,B\n1,2\n", "there is no column 'b', which the network takes; there are 'a', 'B'")]
    [InlineData("a,b,b\n1,2,3\n", "several columns are named 'b'; expected 1 as in the run's file")]
    [InlineData("a,b,id\n1,2,3\n", "the column 'id' is none of the run's")]
    [InlineData("1,2,3,4\n", "its rows have 4 columns; expected the network's 2 inputs, or 3 with the run's label columns")]
    [InlineData("1,?\n", "column 1 '?' is not a finite number")]
    [InlineData("", "the file is empty; expected one row of 2 inputs a line")]
    public void ColumnsThatDoNotFitAreRefusedByName(string text, string message)
    {
        Train(Rows);
        _bench.Write("rows.csv", text);
        _bench.Run("predict", "run", "rows.csv").ShouldBe(2, _bench.Out);
        _bench.Error.ShouldContain("rows.csv");
        _bench.Error.ShouldContain(message);
        _bench.Out.ShouldBeEmpty();
    }

    [Fact]
    public void LinesThatTheRunSkipsAreReadWhereTheyAreRows()
    {
        Train("4,2,low,mid,high\n1,2,0\n4,1,1\n-3,0.5,2\n2,2,0\n", "skip-lines: 1\n  header: false", label: "2");
        string three = Predicted("1,2\n4,1\n2,2\n");
        three.TrimEnd().Split('\n').Length.ShouldBe(4);
        Predicted("1,2\n").ShouldBe(string.Concat(three.Split('\n', 3)[..2].Select(line => line + "\n")));
        Predicted("4,2,low,mid,high\n1,2\n4,1\n2,2\n").ShouldBe(three, "the run's own first line is no row");
        _bench.Error.ShouldBeEmpty();
        Predicted("3,2,few,more\n1,2\n4,1\n2,2\n").ShouldBe(three, "a line of its kind is none either, and that is said");
        _bench.Error.Trim().ShouldBe("note: rows.csv: left out a line above the rows, as the run's skip-lines says: 3,2,few,more");
        Predicted("a,b\n1,2\n4,1\n2,2\n").ShouldBe(three);
    }

    [Fact]
    public void ANumberOfRowsAboveTheRunsOwnRowsIsNoRowAgain()
    {
        Train("4,2\n1,2,0\n4,1,1\n-3,0.5,2\n2,2,0\n", "skip-lines: 1\n  header: false", label: "2");
        Predicted("4,2\n1,2\n").ShouldBe(Predicted("1,2\n"));
    }

    [Fact]
    public void ARunWithLinesAboveItsHeaderReadsFilesWithoutTheLinesOrTheHeader()
    {
        Train("made by hand\n" + Rows, "skip-lines: 1\n  header: true");
        string expected = Predicted("made by hand\na,b\n1,2\n4,1\n");
        _bench.Error.ShouldBeEmpty();
        Predicted("a,b\n1,2\n4,1\n").ShouldBe(expected);
        Predicted("b,a\n2,1\n1,4\n").ShouldBe(expected);
        Predicted("1,2\n4,1\n").ShouldBe(expected);
        _bench.Write("rows.csv", "x,z\n1,2\n4,1\n");
        _bench.Run("predict", "run", "rows.csv").ShouldBe(2);
        _bench.Error.ShouldContain("there is no column 'a'");
    }

    [Fact]
    public void ACompressedFileIsReadAsInTraining()
    {
        Train(Rows);
        string expected = Predicted("b,a\n2,1\n1,4\n");
        using (GZipStream file = new(File.Create(_bench.At("rows.csv.gz")), CompressionMode.Compress))
        {
            file.Write(Encoding.UTF8.GetBytes("b,a\n2,1\n1,4\n"));
        }

        _bench.Run("predict", "run", "rows.csv.gz").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldBe(expected);
    }

    [Fact]
    public void ARunWhoseTestRowsAreSplitOffReadsItsOwnFile()
    {
        const string Split = "part,a,b,y\ntrain,1,2,0\ntrain,4,1,1\ntrain,-3,0.5,2\ntest,2,2,0\n";
        Train(Split, "header: true\n  split: { column: part, test: test }");
        string expected = Predicted(Split);
        expected.TrimEnd().Split('\n').Length.ShouldBe(5);
        Predicted("a,b\n1,2\n4,1\n-3,0.5\n2,2\n").ShouldBe(expected);
        Predicted("1,2\n4,1\n-3,0.5\n2,2\n").ShouldBe(expected);
        Predicted(Split["part,a,b,y\n".Length..]).ShouldBe(expected);
        Predicted("train,1,2\n,4,1\n,-3,0.5\ntest,2,2\n").ShouldBe(expected);
        _bench.Write("rows.csv", "1,2,0\n4,1,0\n");
        _bench.Run("predict", "run", "rows.csv").ShouldBe(2);
        _bench.Error.ShouldContain("nothing tells whether one of them is the run's label column or its split column");
    }

    private void Train(string rows, string settings = "header: true", string label = "y")
    {
        _bench.Write("train.csv", rows);
        _bench.Write("my.yaml", Bench.Good.Replace(
            "  source: blobs\n  train-rows: 20\n  test-rows: 10",
            $"  source: csv\n  train: train.csv\n  label: {label}\n  {settings}\n  standardize: true", StringComparison.Ordinal));
        _bench.Run("train", "my.yaml", "--out", "run", "--set", "training.batch-size=2").ShouldBe(0, _bench.Error);
    }

    private string Predicted(string rows)
    {
        _bench.Write("rows.csv", rows);
        _bench.Run("predict", "run", "rows.csv").ShouldBe(0, _bench.Error);
        return _bench.Out;
    }
}
