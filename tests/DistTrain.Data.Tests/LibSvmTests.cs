using System.Text;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class LibSvmTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SparseRowsBecomeDenseAndLabelsAreSortedNumerically(bool compressed)
    {
        byte[] text = Encoding.UTF8.GetBytes("# a comment\n10 1:0.5 3:-2\n\n+1\n-1.0\t2:7 # here too\r\n");
        _folder.Bytes("train", compressed ? TestFolder.Gzip(text) : text);

        DataSet<double> train = Load(new LibSvmSpec("train")).Train;

        (train.Rows, train.Inputs, train.Targets).ShouldBe((3, 3, 3));
        train.ClassNames.ShouldBe(["-1", "1", "10"]);
        train.Labels().ShouldBe([2, 1, 0]);
        train.Inputs().ShouldBe([0.5, 0, -2, 0, 0, 0, 0, 7, 0]);
    }

    [Fact]
    public void TheNumberOfFeaturesCanBeGiven() => LoadText("0 1:1\n", features: 5).Inputs.ShouldBe(5);

    [Fact]
    public void ATestRowBeyondTheTrainingColumnsIsNamedWithItsLine()
    {
        _folder.Text("train", "0 1:1 4:1\n1 2:1\n");
        _folder.Text("test", "0 1:1\n1 5:2\n");

        Should.Throw<InvalidInputException>(() => Load(new LibSvmSpec("train", "test"))).Message
            .ShouldBe($"{Path.Combine(_folder.Root, "test")}:2: the index 5 is not from 1 to 4.");
    }

    [Theory]
    [InlineData("0 1:1\nx 1:1\n", 2, "the label 'x' is not a finite number")]
    [InlineData("0 0:1\n", 1, "the index 0 is not from 1 to 10000000")]
    [InlineData("0 2:1 2:3\n", 1, "the index 2 follows 2; indices must ascend")]
    [InlineData("0 3:1 2:3\n", 1, "the index 2 follows 3; indices must ascend")]
    [InlineData("0 1:nan\n", 1, "the value 'nan' of column 1 is not a finite number")]
    [InlineData("0 1:1e999\n", 1, "the value '1e999' of column 1 is not a finite number")]
    [InlineData("0 1:\n", 1, "the value '' of column 1 is not a finite number")]
    [InlineData("0 1\n", 1, "'1' is not of the form index:value")]
    [InlineData("0 qid:3\n", 1, "'qid:3' is not of the form index:value")]
    public void AMalformedLineIsNamed(string text, int line, string expected) =>
        Should.Throw<InvalidInputException>(() => LoadText(text)).Message
            .ShouldBe($"{Path.Combine(_folder.Root, "train")}:{line}: {expected}.");

    [Fact]
    public void AnEmptyFileIsRefused() =>
        Should.Throw<InvalidInputException>(() => LoadText("# nothing\n")).Message.ShouldEndWith("there are no rows.");

    private DataSet<double> LoadText(string text, int? features = null)
    {
        _folder.Text("train", text);
        return Load(new LibSvmSpec("train") { Features = features }).Train;
    }

    private TrainTest<double> Load(LibSvmSpec spec) => DataLoader.Load<double>(spec, _folder.Root, seed: 1);
}
