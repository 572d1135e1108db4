using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class ScalingTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ColumnsAreStandardizedByTheTrainingRowsOnly()
    {
        TrainTest<double> data = LoadCsv("1,10\n3,30\n", "5,10\n", new Scaling(Standardize: Standardization.Features));

        data.Train.Inputs().ShouldBe([-1, -1, 1, 1]);
        data.Test!.Inputs().ShouldBe([3, -1]);
    }

    [Theory]
    [InlineData(Standardization.None)]
    [InlineData(Standardization.Features)]
    [InlineData(Standardization.Global)]
    public void RowsOfAnotherFileAreScaledToTheBitsOfTheRunsOwn(Standardization standardize)
    {
        // The first column's deviation is 0 and comes out of sums as 1.4e-17; the second one's is no power of two.
        string[] lines = [.. Enumerable.Range(0, 10).Select(row => FormattableString.Invariant($"0.1,{1.0 / (row + 3)}"))];
        _folder.Text("train.csv", string.Join('\n', lines.Select((line, row) => $"{line},{row % 2}")) + "\n");
        _folder.Text("rows.csv", string.Join('\n', lines.Select(line => $"{line},0")) + "\n0.2,7,0\n");
        CsvSpec run = new("train.csv") { Header = false, Label = "2", Scaling = new Scaling(Scale: 3, Asinh: 2, Standardize: standardize) };
        CsvSpec rows = new("rows.csv") { Header = false, Label = "2" };
        double[] own = DataLoader.Load<double>(run, _folder.Root, seed: 1).Train.Inputs();
        double[] alike = DataLoader.LoadLike<double>(rows, _folder.Root, run, _folder.Root, seed: 1).Inputs();
        alike[..own.Length].ShouldBe(own);
        if (standardize == Standardization.Features)
        {
            alike[^2].ShouldBe(0, "A column that is constant on the training rows is 0 everywhere.");
        }
    }

    [Fact]
    public void OneMeanAndDeviationCanServeAllValues()
    {
        TrainTest<double> data = LoadCsv("0,0\n4,4\n", "2,8\n", new Scaling(Standardize: Standardization.Global));

        data.Train.Inputs().ShouldBe([-1, -1, 1, 1]);
        data.Test!.Inputs().ShouldBe([0, 3]);
    }

    [Fact]
    public void AConstantColumnBecomesZeroInBothPartsEvenWhereItsMeanIsRounded()
    {
        TrainTest<double> data = LoadCsv("0.1,1\n0.1,2\n0.1,3\n", "7,2\n", new Scaling(Standardize: Standardization.Features));

        data.Train.Inputs(0, 1, 2).Where((_, i) => i % 2 == 0).ShouldBe([0, 0, 0]);
        data.Test!.Inputs().ShouldBe([0, 0]);
    }

    [Fact]
    public void TheDivisorComesFirstThenAsinhThenLogMaxThenStandardization()
    {
        Scaling scaling = new(Scale: 2, Asinh: 3, LogMax: true, Standardize: Standardization.Features);
        double[][] raw = [[4, 60], [10, 0], [0, 0]];

        double[] actual = LoadCsv("4,60\n10,0\n0,0\n", null, scaling).Train.Inputs();

        double[][] mapped = [.. raw.Select(row =>
        {
            double[] logs = [.. row.Select(x => Math.Log10(1 + Math.Asinh(x / 2 / 3)))];
            return logs.Max() > 0 ? [.. logs.Select(x => x / logs.Max())] : logs;
        })];
        for (int column = 0; column < 2; column++)
        {
            double mean = mapped.Average(row => row[column]);
            double deviation = Math.Sqrt(mapped.Average(row => (row[column] - mean) * (row[column] - mean)));
            for (int row = 0; row < 3; row++)
            {
                actual[(2 * row) + column].ShouldBe((mapped[row][column] - mean) / deviation, 1e-13);
            }
        }
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1e-20)]
    [InlineData(-1e-9)]
    [InlineData(3e-4)]
    [InlineData(-0.7)]
    [InlineData(20.0)]
    [InlineData(-54321.0)]
    [InlineData(1e200)]
    public void AsinhIsAccurateFromTheSmallestToTheLargest(double x)
    {
        double actual = LoadCsv($"{x:R}\n0\n", null, new Scaling(Asinh: 1)).Train.Inputs(0)[0];

        actual.ShouldBe(Math.Asinh(x), (Math.Abs(Math.Asinh(x)) * 1e-14) + double.Epsilon);
    }

    [Fact]
    public void LogMaxKeepsZeroRowsAndRefusesNegativeValues()
    {
        DataSet<double> train = LoadCsv("9,99\n0,0\n", null, new Scaling(LogMax: true)).Train;

        train.Inputs(0)[0].ShouldBe(0.5, 1e-15);
        train.Inputs(0)[1].ShouldBe(1);
        train.Inputs(1).ShouldBe([0, 0]);
        Should.Throw<InvalidInputException>(() => LoadCsv("1,2\n3,-4\n", null, new Scaling(LogMax: true))).Message
            .ShouldBe("train.csv: row 2: log-max needs counts of at least 0, and here is -4.");
    }

    [Theory]
    [InlineData(Standardization.None, false)]
    [InlineData(Standardization.Features, false)]
    [InlineData(Standardization.Global, false)]
    [InlineData(Standardization.None, true)]
    [InlineData(Standardization.Features, true)]
    [InlineData(Standardization.Global, true)]
    public void BytesSparseRowsAndNumbersAreScaledAlike(Standardization standardize, bool logMax)
    {
        byte[] values = [0, 3, 255, 17, 0, 0, 0, 0, 0, 9, 0, 255];
        Scaling scaling = new(Scale: 5, Asinh: 0.5, LogMax: logMax, Standardize: standardize);
        _folder.Bytes("images", [0, 0, 8, 2, 0, 0, 0, 4, 0, 0, 0, 3, .. values]);
        _folder.Bytes("labels", [0, 0, 8, 1, 0, 0, 0, 4, 0, 0, 0, 1]);
        string csv = "", sparse = "";
        for (int row = 0; row < 4; row++)
        {
            byte[] cells = values[(3 * row)..((3 * row) + 3)];
            csv += string.Join(',', cells) + ",0\n";
            sparse += "0 " + string.Join(' ', cells.Select((value, i) =>
                (value, i)).Where(cell => cell.value > 0).Select(cell => $"{cell.i + 1}:{cell.value}")) + "\n";
        }

        _folder.Text("all.csv", csv);
        _folder.Text("all.svm", sparse);

        double[] dense = Load(new CsvSpec("all.csv") { Header = false, Label = "3", Scaling = scaling });
        double[] bytes = Load(new IdxSpec(new IdxFiles("images", null)) { TargetsAreInputs = true, Scaling = scaling });
        double[] sparseRows = Load(new LibSvmSpec("all.svm") { Features = 3, Scaling = scaling });

        for (int i = 0; i < dense.Length; i++)
        {
            bytes[i].ShouldBe(dense[i], 1e-14);
            sparseRows[i].ShouldBe(dense[i], 1e-14);
        }

        dense.Distinct().Count().ShouldBeGreaterThan(3);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void DivisorsMustBePositiveAndFinite(double value)
    {
        Should.Throw<InvalidInputException>(() => LoadCsv("1\n2\n", null, new Scaling(Scale: value))).Message
            .ShouldStartWith("data: scale: ");
        Should.Throw<InvalidInputException>(() => LoadCsv("1\n2\n", null, new Scaling(Asinh: value))).Message
            .ShouldStartWith("data: asinh: ");
    }

    [Fact]
    public void CopyingRowsAllocatesNothing()
    {
        _folder.Text("all.svm", "0 1:1 3:2\n1 2:5\n");
        DataSet<double>[] sets =
        [
            LoadCsv("1,2,3\n4,5,6\n", null, Scaling.None).Train,
            DataLoader.Load<double>(new LibSvmSpec("all.svm"), _folder.Root, 1).Train,
            DataLoader.Load<double>(new GeneratedSpec(GeneratedKind.Glyphs) { TrainRows = 2, TestRows = 0 }, _folder.Root, 1).Train,
        ];
        foreach (DataSet<double> set in sets)
        {
            int[] rows = [1, 0, 1];
            double[] inputs = new double[3 * set.Inputs], targets = new double[3 * set.Targets];
            set.CopyInputs(rows, inputs);
            set.CopyTargets(rows, targets);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                set.CopyInputs(rows, inputs);
                set.CopyTargets(rows, targets);
            }

            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0, set.Name);
        }
    }

    [Fact]
    public void DestinationsMustFitAndRowsMustExist()
    {
        DataSet<double> set = LoadCsv("1,2\n4,5\n", null, Scaling.None).Train;

        Should.Throw<ArgumentException>(() => set.CopyInputs([0], new double[3]));
        Should.Throw<ArgumentOutOfRangeException>(() => set.CopyInputs([2], new double[2]));
        Should.Throw<ArgumentOutOfRangeException>(() => set.CopyInputs([-1], new double[2]));
    }

    private double[] Load(DataSpec spec) => DataLoader.Load<double>(spec, _folder.Root, 1).Train.Inputs();

    private TrainTest<double> LoadCsv(string train, string? test, Scaling scaling)
    {
        _folder.Text("train.csv", Labelled(train));
        string? testName = test is null ? null : "test.csv";
        _folder.Text("test.csv", Labelled(test ?? ""));
        string label = $"{train[..train.IndexOf('\n', StringComparison.Ordinal)].Split(',').Length}";
        return DataLoader.Load<double>(new CsvSpec("train.csv", testName) { Header = false, Label = label, Scaling = scaling }, _folder.Root, 1);
    }

    private static string Labelled(string rows) => rows.Replace("\n", ",0\n", StringComparison.Ordinal);
}
