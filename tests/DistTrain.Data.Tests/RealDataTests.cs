using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

/// <summary>
/// Public data sets, where they are kept in <c>shared/data</c> beside the project or above it; skipped otherwise.
/// </summary>
public sealed class RealDataTests
{
    [SkippableFact]
    public void FashionMnistHasItsKnownMeanAndDeviation()
    {
        string folder = Folder("fashion-mnist");
        IdxSpec spec = new(
            new IdxFiles("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
            new IdxFiles("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")) { Scaling = new Scaling(Scale: 255) };

        TrainTest<float> data = DataLoader.Load<float>(spec, folder, seed: 1);

        DataFacts.Of(data).ShouldBe(new DataFacts("train-images-idx3-ubyte.gz", 60_000, 10_000, 784, 10, 10));
        float[] row = new float[784];
        double sum = 0, squares = 0;
        for (int i = 0; i < data.Train.Rows; i++)
        {
            data.Train.CopyInputs([i], row);
            foreach (float value in row)
            {
                sum += value;
                squares += (double)value * value;
            }
        }

        double mean = sum / (60_000 * 784), deviation = Math.Sqrt((squares / (60_000 * 784)) - (mean * mean));
        mean.ShouldBe(0.2860, 0.00005);
        deviation.ShouldBe(0.3530, 0.00005);
        Enumerable.Range(0, 60_000).Count(i => data.Train.LabelOf(i) == 3).ShouldBe(6_000);
    }

    [SkippableFact]
    public void OptdigitsHasNoHeaderAndItsLabelLast()
    {
        CsvSpec spec = new("optdigits-tra.csv.gz", "optdigits-tes.csv.gz") { Header = false, Label = "64", Scaling = new Scaling(Scale: 16) };

        TrainTest<double> data = DataLoader.Load<double>(spec, Folder("optdigits"), seed: 1);

        DataFacts.Of(data).ShouldBe(new DataFacts("optdigits-tra.csv.gz", 3_823, 1_797, 64, 10, 10));
        data.Train.Inputs().Max().ShouldBe(1);
        data.Train.Labels()[..3].ShouldBe([0, 0, 7]);
    }

    [SkippableFact]
    public void IrisIsReadBelowItsFirstLine()
    {
        CsvSpec spec = new("iris.csv") { Header = false, SkipLines = 1, Label = "4", TestFraction = 0.2 };

        TrainTest<double> data = DataLoader.Load<double>(spec, Folder("small"), seed: 1);

        DataFacts.Of(data).ShouldBe(new DataFacts("iris.csv", 120, 30, 4, 3, 3));
    }

    [SkippableFact]
    public void GolubIsSplitByItsColumnAndStandardizedOnTheTrainingRows()
    {
        CsvSpec spec = new("golub-leukemia.csv.gz")
        {
            Label = "label",
            Split = new CsvSplit("split", "test"),
            Scaling = new Scaling(Asinh: 20, Standardize: Standardization.Features),
        };

        TrainTest<double> data = DataLoader.Load<double>(spec, Folder("microarray"), seed: 1);

        DataFacts.Of(data).ShouldBe(new DataFacts("golub-leukemia.csv.gz", 38, 34, 7_129, 2, 2));
        data.Train.ClassNames.ShouldBe(["ALL", "AML"]);
        data.Train.Labels().Concat(data.Test!.Labels()).Count(label => label == 0).ShouldBe(47);
        double[] train = data.Train.Inputs();
        for (int gene = 0; gene < 7_129; gene += 500)
        {
            Enumerable.Range(0, 38).Average(row => train[(row * 7_129) + gene]).ShouldBe(0, 1e-12);
            Enumerable.Range(0, 38).Average(row => train[(row * 7_129) + gene] * train[(row * 7_129) + gene]).ShouldBe(1, 1e-12);
        }
    }

    [SkippableFact]
    public void TwentyNewsgroupsHasThirtyOneEmptyTrainingRows()
    {
        LibSvmSpec spec = new("20news-bow2000.train.libsvm.gz", "20news-bow2000.test.libsvm.gz") { Features = 2000, Scaling = new Scaling(LogMax: true) };

        TrainTest<float> data = DataLoader.Load<float>(spec, Folder("20news"), seed: 1);

        DataFacts.Of(data).ShouldBe(new DataFacts("20news-bow2000.train.libsvm.gz", 11_314, 7_532, 2_000, 20, 20));
        (ZeroRows(data.Train), ZeroRows(data.Test!)).ShouldBe((31, 32));
    }

    private static int ZeroRows(DataSet<float> data)
    {
        float[] row = new float[data.Inputs];
        int zero = 0;
        for (int i = 0; i < data.Rows; i++)
        {
            data.CopyInputs([i], row);
            float largest = row.Max();
            zero += largest == 0 ? 1 : 0;
            (largest is 0 or 1).ShouldBeTrue();
        }

        return zero;
    }

    private static string Folder(string name)
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "shared", "data", name);
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        throw new SkipException($"The data set {name} is not here (shared/data).");
    }
}
