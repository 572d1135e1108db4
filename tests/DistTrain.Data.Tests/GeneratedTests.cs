using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistTrain.Data.Generated;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class GeneratedTests
{
    [Fact]
    public void XorHasFourRowsWhichAreAlsoTheTestRows()
    {
        TrainTest<double> data = Load(new GeneratedSpec(GeneratedKind.Xor));

        data.Train.Inputs().ShouldBe([0, 0, 0, 1, 1, 0, 1, 1]);
        data.Train.TargetsOf().ShouldBe([1, 0, 0, 1, 0, 1, 1, 0]);
        data.Test!.Inputs().ShouldBe(data.Train.Inputs());
        DataFacts.Of(data).ToString().ShouldBe("xor: 4 training and 4 test rows, 2 inputs, 2 classes");
    }

    [Theory]
    [InlineData(GeneratedKind.Spirals, 2000, 1000, 2, 2)]
    [InlineData(GeneratedKind.Blobs, 2000, 1000, 2, 3)]
    [InlineData(GeneratedKind.Glyphs, 12000, 2000, 784, 10)]
    public void DefaultsHaveBalancedClasses(GeneratedKind kind, int trainRows, int testRows, int inputs, int classes)
    {
        TrainTest<double> data = Load(new GeneratedSpec(kind));

        DataFacts.Of(data).ShouldBe(new DataFacts(data.Train.Name, trainRows, testRows, inputs, classes, classes));
        int[] sizes = [.. data.Train.Labels().GroupBy(label => label).Select(group => group.Count())];
        sizes.Length.ShouldBe(classes);
        (sizes.Max() - sizes.Min()).ShouldBeLessThanOrEqualTo(1);
    }

    [Theory]
    [InlineData(GeneratedKind.Spirals, "27b62ec2edda4a6d")]
    [InlineData(GeneratedKind.Blobs, "c7fe72e55665360e")]
    [InlineData(GeneratedKind.Glyphs, "04a927a94c115af7")]
    public void TheBytesArePinned(GeneratedKind kind, string expected)
    {
        TrainTest<double> data = Load(new GeneratedSpec(kind) { TrainRows = 300, TestRows = 100 });

        Hash([.. data.Train.Inputs(), .. data.Test!.Inputs()]).ShouldBe(expected);
    }

    [Theory]
    [InlineData(GeneratedKind.Spirals)]
    [InlineData(GeneratedKind.Blobs)]
    [InlineData(GeneratedKind.Glyphs)]
    public void TheDataSeedChangesTheRowsAndTheRunsSeedDoesNot(GeneratedKind kind)
    {
        GeneratedSpec spec = new(kind) { TrainRows = 20, TestRows = 20 };
        double[] rows = Load(spec).Train.Inputs();

        DataLoader.Load<double>(spec, "", seed: 99).Train.Inputs().ShouldBe(rows);
        Load(spec with { DataSeed = 5 }).Train.Inputs().ShouldNotBe(rows);
        Load(spec).Test!.Inputs().ShouldNotBe(rows);
        Load(spec with { TrainRows = 10 }).Train.Inputs().ShouldBe(rows[..(rows.Length / 2)]);
        Load(spec with { TrainRows = 10 }).Test!.Inputs().ShouldBe(Load(spec).Test!.Inputs());
    }

    [Fact]
    public void GlyphsThatSeveralThreadsDrawAreThoseThatOneDraws()
    {
        // A thread more takes some hundred rows more; 2,000 end within a stretch of rows.
        double[] few = Load(new GeneratedSpec(GeneratedKind.Glyphs) { TrainRows = 100 }).Train.Inputs();
        double[] many = Load(new GeneratedSpec(GeneratedKind.Glyphs) { TrainRows = 2000, TestRows = 0 }).Train.Inputs();

        many[..few.Length].ShouldBe(few);
        Hash(many).ShouldBe("33e749c2d8ebee8e");
    }

    [Fact]
    public void GlyphsAreBytesWithInkAndPaper()
    {
        DataSet<double> train = Load(new GeneratedSpec(GeneratedKind.Glyphs) { Noise = 0 }).Train;
        double[] pixels = train.Inputs([.. Enumerable.Range(0, 500)]);

        pixels.Count(pixel => pixel is < 0 or > 1 || pixel != Math.Round(pixel * 255) / 255).ShouldBe(0);
        for (int row = 0; row < 500; row++)
        {
            // Every digit leaves a mark, and none fills half of the square.
            int dark = pixels.AsSpan(row * 784, 784).ToArray().Count(pixel => pixel > 0.4);
            dark.ShouldBeInRange(8, 392);
        }
    }

    [Fact]
    public void BlobsLieAroundCentresSixApart()
    {
        DataSet<double> train = Load(new GeneratedSpec(GeneratedKind.Blobs) { TrainRows = 3000, Inputs = 4 }).Train;
        double[][] means = new double[3][];
        for (int label = 0; label < 3; label++)
        {
            int[] rows = [.. Enumerable.Range(0, train.Rows).Where(row => train.LabelOf(row) == label)];
            double[] values = train.Inputs(rows);
            means[label] = [.. Enumerable.Range(0, 4).Select(column =>
                rows.Select((_, i) => values[(4 * i) + column]).Average())];
        }

        double Distance(int a, int b) => Math.Sqrt(means[a].Zip(means[b], (x, y) => (x - y) * (x - y)).Sum());
        Distance(0, 1).ShouldBe(6, 0.2);
        Distance(1, 2).ShouldBe(6, 0.2);
        Distance(2, 0).ShouldBe(6, 0.2);
    }

    [Fact]
    public void SineAndCosineAgreeWithThePlatforms()
    {
        for (int i = -4000; i <= 4000; i++)
        {
            double turns = i / 997.0;
            (double sine, double cosine) = PortableMath.SineCosine(turns);
            sine.ShouldBe(Math.Sin(2 * Math.PI * turns), 1e-14);
            cosine.ShouldBe(Math.Cos(2 * Math.PI * turns), 1e-14);
        }
    }

    [Fact]
    public void ATestFractionDividesTheRowsAskedFor()
    {
        TrainTest<double> data = Load(new GeneratedSpec(GeneratedKind.Blobs) { TrainRows = 100, TestFraction = 0.2 });

        (data.Train.Rows, data.Test!.Rows).ShouldBe((80, 20));
        Should.Throw<InvalidInputException>(() =>
            Load(new GeneratedSpec(GeneratedKind.Blobs) { TestRows = 5, TestFraction = 0.2 }));
    }

    [Fact]
    public void SettingsThatAKindLacksAreRefusedByName()
    {
        Failure(new GeneratedSpec(GeneratedKind.Xor) { TrainRows = 8 })
            .ShouldBe("data: train-rows: the source xor has no such setting.");
        Failure(new GeneratedSpec(GeneratedKind.Xor) { Noise = 1 }).ShouldBe("data: noise: the source xor has no such setting.");
        Failure(new GeneratedSpec(GeneratedKind.Glyphs) { Classes = 5 })
            .ShouldBe("data: classes: the source glyphs has no such setting.");
        Failure(new GeneratedSpec(GeneratedKind.Spirals) { Inputs = 5 })
            .ShouldBe("data: inputs: the source spirals has no such setting.");
        Failure(new GeneratedSpec(GeneratedKind.Spirals) { Classes = 1 }).ShouldStartWith("data: classes: 1 is not from 2 to 20");
        Failure(new GeneratedSpec(GeneratedKind.Spirals) { TrainRows = 0 }).ShouldStartWith("data: train-rows: 0 is not from 1");
        Failure(new GeneratedSpec(GeneratedKind.Glyphs) { Noise = double.NaN }).ShouldStartWith("data: noise: NaN");
    }

    private static string Hash(double[] values) =>
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<double>(values)))[..16];

    private static TrainTest<double> Load(GeneratedSpec spec) => DataLoader.Load<double>(spec, "", seed: 1);

    private static string Failure(GeneratedSpec spec) => Should.Throw<InvalidInputException>(() => Load(spec)).Message;
}
