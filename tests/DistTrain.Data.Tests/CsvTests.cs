using System.Text;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class CsvTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TextLabelsAreNumberedInOrdinalOrderAndOtherColumnsAreFeaturesInOrder()
    {
        _folder.Text("train.csv", "a,kind,b\n1,wolf,2\n3,Bear,4\n5,wolf,6\n");

        DataSet<double> train = Load(new CsvSpec("train.csv") { Label = "kind" }).Train;

        (train.Rows, train.Inputs, train.Targets, train.TargetsAreClasses).ShouldBe((3, 2, 2, true));
        train.ClassNames.ShouldBe(["Bear", "wolf"]);
        train.Labels().ShouldBe([1, 0, 1]);
        train.Inputs().ShouldBe([1, 2, 3, 4, 5, 6]);
        train.TargetsOf(0, 1).ShouldBe([0, 1, 1, 0]);
    }

    [Fact]
    public void IntegerLabelsKeepNumericOrder()
    {
        _folder.Text("train.csv", "1,10\n2,9\n3,2\n4,10\n");

        DataSet<double> train = Load(new CsvSpec("train.csv") { Header = false, Label = "1" }).Train;

        train.ClassNames.ShouldBe(["2", "9", "10"]);
        train.Labels().ShouldBe([2, 1, 0, 2]);
    }

    [Fact]
    public void WithClassesGivenEachIntegerIsItsOwnClass()
    {
        _folder.Text("train.csv", "x,y\n1,3\n2,1\n");

        DataSet<double> train = Load(new CsvSpec("train.csv") { Label = "y", Classes = 4 }).Train;

        (train.Targets, train.LabelOf(0), train.LabelOf(1)).ShouldBe((4, 3, 1));
    }

    [Fact]
    public void LinesAboveTheHeaderCanBeSkippedAndLineNumbersCountThem()
    {
        _folder.Text("train.csv", "150,4,nobody\na,b\n1,0\n\n2,1\nx,1\n");

        Failure(new CsvSpec("train.csv") { SkipLines = 1, Label = "b" })
            .ShouldBe($"{At("train.csv")}:6: column 'a' 'x' is not a finite number.");
    }

    [Fact]
    public void CompressedFilesQuotedFieldsSpacesAndWindowsLineEndsAreRead()
    {
        _folder.Bytes("train", TestFolder.Gzip(Encoding.UTF8.GetBytes("\uFEFF\"a, b\",y\r\n 1.5e1 ,\"the \"\"one\"\"\"\r\n-2,other\r\n")));

        DataSet<double> train = Load(new CsvSpec("train") { Label = "y" }).Train;

        train.ClassNames.ShouldBe(["other", "the \"one\""]);
        train.Inputs().ShouldBe([15, -2]);
    }

    [Fact]
    public void TargetColumnsMakeVectorsInTheOrderAskedFor()
    {
        _folder.Text("train.csv", "a,b,c\n1,0.5,3\n4,0,6\n");

        DataSet<double> train = Load(new CsvSpec("train.csv") { TargetColumns = ["c", "a"] }).Train;

        (train.Inputs, train.Targets, train.TargetsAreClasses, train.HasLabels).ShouldBe((1, 2, false, false));
        train.TargetsOf().ShouldBe([3, 1, 6, 4]);
        train.Inputs().ShouldBe([0.5, 0]);
    }

    [Fact]
    public void TargetColumnsThatAreOneHotInEveryRowAreClasses()
    {
        _folder.Text("train.csv", "a,cat,dog\n1,0,1\n2,1,0\n");

        DataSet<double> train = Load(new CsvSpec("train.csv") { TargetColumns = ["cat", "dog"] }).Train;

        train.TargetsAreClasses.ShouldBeTrue();
        train.ClassNames.ShouldBe(["cat", "dog"]);
        train.Labels().ShouldBe([1, 0]);
        train.TargetsOf().ShouldBe([0, 1, 1, 0]);
    }

    [Fact]
    public void OneRowThatIsNotOneHotMakesTargetColumnsVectorsInBothParts()
    {
        _folder.Text("train.csv", "a,cat,dog\n1,0,1\n2,1,0\n");
        _folder.Text("test.csv", "a,cat,dog\n1,1,1\n");

        TrainTest<double> data = Load(new CsvSpec("train.csv", "test.csv") { TargetColumns = ["cat", "dog"] });

        (data.Train.TargetsAreClasses, data.Test!.TargetsAreClasses).ShouldBe((false, false));
        data.Test.TargetsOf().ShouldBe([1, 1]);
    }

    [Fact]
    public void InputsAsTargetsAreScaledAndLabelsStayReadable()
    {
        _folder.Text("train.csv", "a,b,y\n2,4,n\n6,8,p\n");

        DataSet<double> train = Load(new CsvSpec("train.csv") { Label = "y", TargetsAreInputs = true, Scaling = new Scaling(Scale: 2) }).Train;

        (train.Targets, train.TargetsAreClasses, train.HasLabels, train.LabelOf(1)).ShouldBe((2, false, true, 1));
        train.TargetsOf(1).ShouldBe([3, 4]);
    }

    [Fact]
    public void ASplitColumnTellsTestRowsAndIsNoFeature()
    {
        _folder.Text("all.csv", "part,a,y\ntrain,1,p\ntest,2,n\ntrain,3,p\n");

        TrainTest<double> data = Load(new CsvSpec("all.csv") { Label = "y", Split = new CsvSplit("part", "test") });

        (data.Train.Rows, data.Test!.Rows, data.Train.Inputs).ShouldBe((2, 1, 1));
        data.Train.Inputs().ShouldBe([1, 3]);
        data.Test.LabelOf(0).ShouldBe(0);
        data.Test.Targets.ShouldBe(2);
    }

    [Fact]
    public void ASplitThatMarksNoRowSaysWhatTheColumnHolds()
    {
        _folder.Text("all.csv", "part,a,y\ntrain,1,p\nheld,2,n\n");

        Failure(new CsvSpec("all.csv") { Label = "y", Split = new CsvSplit("part", "test") })
            .ShouldBe($"{At("all.csv")}: `data: split`: no row has 'test' in column 'part', which holds 'held', 'train'.");
    }

    [Fact]
    public void ATestFractionIsDrawnFromTheSeedAndKeepsTheFilesOrder()
    {
        _folder.Text("all.csv", "a,y\n" + string.Concat(Enumerable.Range(0, 20).Select(i => $"{i},{i % 2}\n")));
        CsvSpec spec = new("all.csv") { Label = "y", TestFraction = 0.25 };

        TrainTest<double> data = Load(spec);
        double[] train = data.Train.Inputs(), test = data.Test!.Inputs();

        (train.Length, test.Length).ShouldBe((15, 5));
        train.Concat(test).Order().ShouldBe(Enumerable.Range(0, 20).Select(i => (double)i));
        train.ShouldBe(train.Order());
        test.ShouldBe(test.Order());
        Load(spec).Test!.Inputs().ShouldBe(test);
        DataLoader.Load<double>(spec, _folder.Root, seed: 2).Test!.Inputs().ShouldNotBe(test);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.0)]
    [InlineData(0.01)]
    [InlineData(double.NaN)]
    public void ATestFractionThatLeavesAPartEmptyIsRefused(double fraction)
    {
        _folder.Text("all.csv", "a,y\n1,0\n2,1\n");

        Failure(new CsvSpec("all.csv") { Label = "y", TestFraction = fraction }).ShouldStartWith("data: test-fraction: ");
    }

    [Fact]
    public void WhenACsvRowIsRaggedTheErrorNamesFileAndLine()
    {
        _folder.Text("train.csv", "a,b,y\n1,2,0\n3,1\n");

        Failure(new CsvSpec("train.csv") { Label = "y" })
            .ShouldBe($"{At("train.csv")}:3: 2 fields, and the lines before have 3.");
    }

    [Theory]
    [InlineData("abc", "'abc' is not a finite number")]
    [InlineData("", "is empty")]
    [InlineData("NaN", "'NaN' is not a finite number")]
    [InlineData("-Infinity", "'-Infinity' is not a finite number")]
    [InlineData("1e999", "'1e999' is not a finite number")]
    [InlineData("1;5", "'1;5' is not a finite number")]
    public void AFieldThatIsNoNumberIsNamedWithFileLineAndColumn(string field, string expected)
    {
        _folder.Text("train.csv", $"a,b,y\n1,2,0\n3,{field},1\n");

        Failure(new CsvSpec("train.csv") { Label = "y" }).ShouldBe($"{At("train.csv")}:3: column 'b' {expected}.");
    }

    [Fact]
    public void AnEmptyLabelIsNamedWithFileAndLine()
    {
        _folder.Text("train.csv", "a,y\n1,0\n2,\n");

        Failure(new CsvSpec("train.csv") { Label = "y" }).ShouldBe($"{At("train.csv")}:3: column 'y': the label is empty.");
    }

    [Fact]
    public void ALabelOutOfRangeIsNamedWithFileAndLine()
    {
        _folder.Text("train.csv", "a,y\n1,0\n2,3\n");

        Failure(new CsvSpec("train.csv") { Label = "y", Classes = 3 })
            .ShouldBe($"{At("train.csv")}:3: column 'y': the label '3' is none of '0', '1', '2'.");
    }

    [Fact]
    public void ATestFileUsesTheTrainingFilesLabelSet()
    {
        _folder.Text("train.csv", "a,y\n1,q\n2,p\n");
        _folder.Text("good.csv", "a,y\n1,q\n");
        _folder.Text("bad.csv", "a,y\n1,r\n");

        Load(new CsvSpec("train.csv", "good.csv") { Label = "y" }).Test!.LabelOf(0).ShouldBe(1);
        Failure(new CsvSpec("train.csv", "bad.csv") { Label = "y" })
            .ShouldBe($"{At("bad.csv")}:2: column 'y': the label 'r' is none of 'p', 'q'.");
    }

    [Fact]
    public void ATestFileWithOtherColumnsIsRefused()
    {
        _folder.Text("train.csv", "a,b,y\n1,2,0\n");
        _folder.Text("test.csv", "b,a,y\n1,2,0\n");

        Failure(new CsvSpec("train.csv", "test.csv") { Label = "y" })
            .ShouldBe($"{At("test.csv")}: column 0 is 'b', and in {At("train.csv")} it is 'a'.");
    }

    [Fact]
    public void AnUnknownColumnIsAnsweredWithTheNearest()
    {
        _folder.Text("train.csv", "width,height,label\n1,2,0\n");

        Failure(new CsvSpec("train.csv") { Label = "Lable" })
            .ShouldBe($"{At("train.csv")}: `data: label`: there is no column 'Lable'; the nearest is 'label'.");
        Failure(new CsvSpec("train.csv") { Label = "3" }).ShouldContain("there is no column '3'; its columns are 0 to 2");
    }

    [Fact]
    public void ARepeatedColumnNameCannotBeReferredTo()
    {
        _folder.Text("train.csv", "y,a,y\n1,2,0\n");

        Failure(new CsvSpec("train.csv") { Label = "y" }).ShouldContain("several columns are named 'y'; give the 0-based index");
        Load(new CsvSpec("train.csv") { Label = "2" }).Train.Inputs.ShouldBe(2);
    }

    [Fact]
    public void AQuotationMarkInsideAFieldIsNamedWithFileAndLine()
    {
        _folder.Text("train.csv", "a,y\n1,0\n2,\"b\"c\n");

        Failure(new CsvSpec("train.csv") { Label = "y" })
            .ShouldStartWith($"{At("train.csv")}:3: a quotation mark stands inside a field");
    }

    [Theory]
    [InlineData("", "there are no rows.")]
    [InlineData("a,y\n", "there are no rows below the header.")]
    public void AFileWithoutRowsIsRefused(string content, string expected)
    {
        _folder.Text("train.csv", content);

        Failure(new CsvSpec("train.csv") { Label = "y" }).ShouldBe($"{At("train.csv")}: {expected}");
    }

    [Fact]
    public void ContradictionsAreRefusedBeforeAnyFileIsRead()
    {
        Failure(new CsvSpec("none.csv")).ShouldContain("name the column of classes (`label`)");
        Failure(new CsvSpec("none.csv") { Label = "y", TargetColumns = ["a"] })
            .ShouldContain("`label` names the targets already");
        Failure(new CsvSpec("none.csv", "t.csv") { Label = "y", Split = new CsvSplit("s", "t") })
            .ShouldContain("drop one of the two");
        Failure(new CsvSpec("none.csv") { TargetColumns = ["a"], TargetsAreInputs = true })
            .ShouldContain("either columns or the inputs");
    }

    [Fact]
    public void AValueBeyondTheRunsPrecisionIsNamed()
    {
        _folder.Text("train.csv", "a,y\n1,0\n1e300,1\n");
        CsvSpec spec = new("train.csv") { Label = "y" };

        Load(spec).Train.Inputs().ShouldBe([1, 1e300]);
        Should.Throw<InvalidInputException>(() => DataLoader.Load<float>(spec, _folder.Root, 1)).Message
            .ShouldBe("train.csv: row 2, column 1: 1E+300 is too large for the run's precision; scale it or use float64.");
    }

    private string At(string name) => Path.Combine(_folder.Root, name);

    private TrainTest<double> Load(CsvSpec spec) => DataLoader.Load<double>(spec, _folder.Root, seed: 1);

    private string Failure(CsvSpec spec) => Should.Throw<InvalidInputException>(() => Load(spec)).Message;
}
