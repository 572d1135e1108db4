using System.Text;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class FingerprintTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OneValueLabelOrTargetTellsRowsApart()
    {
        CsvSpec spec = new("train.csv", "test.csv") { Header = false, Label = "2" };
        DataFingerprint first = Of(spec, "1,2,0\n3,4,1\n", "1,2,0\n");
        Of(spec, "1,2,0\n3,4,1\n", "1,2,0\n").ShouldBe(first);
        DataFingerprint value = Of(spec, "1,2,0\n3,4.000000000000001,1\n", "1,2,0\n");
        value.Train.ShouldNotBe(first.Train);
        value.Test.ShouldBe(first.Test);
        Of(spec, "1,2,1\n3,4,0\n", "1,2,0\n").Train.ShouldNotBe(first.Train);
        Of(spec, "1,2,0\n3,4,1\n", "1,2,1\n").Test.ShouldNotBe(first.Test);
        CsvSpec targets = spec with { Label = null, TargetColumns = ["2"] };
        Of(targets, "1,2,0\n3,4,1\n", "1,2,0\n").Train.ShouldNotBe(Of(targets, "1,2,0\n3,4,1.5\n", "1,2,0\n").Train);
    }

    [Fact]
    public void PrecisionScalingAndCompressionDoNot()
    {
        CsvSpec spec = new("train.csv") { Header = false, Label = "2" };
        DataFingerprint first = Of(spec, "1,2,0\n3,4,1\n", "");
        CsvSpec scaled = spec with { Scaling = new Scaling { Asinh = 2, Standardize = Standardization.Features } };
        Of(scaled, "1,2,0\n3,4,1\n", "").ShouldBe(first);
        DataLoader.Load<float>(scaled, _folder.Root, seed: 1, withFingerprint: true).Fingerprint.ShouldBe(first);
        _folder.Bytes("train.csv", TestFolder.Gzip("1,2,0\n3,4,1\n"u8.ToArray()));
        DataLoader.Load<double>(spec, _folder.Root, seed: 1, withFingerprint: true).Fingerprint.ShouldBe(first);
    }

    [Fact]
    public void SparseAndGeneratedRowsHaveOneToo()
    {
        LibSvmSpec spec = new("train.csv");
        Of(spec, "0 1:1\n1 2:2\n", "").ShouldBe(Of(spec, "0 1:1\n1 2:2\n", ""));
        Of(spec, "0 1:1\n1 2:2\n", "").ShouldNotBe(Of(spec, "0 2:1\n1 2:2\n", ""));
        DataFingerprint? Glyphs(ulong seed) => DataLoader.Load<float>(
            new GeneratedSpec(GeneratedKind.Glyphs) { TrainRows = 20, TestRows = 10, DataSeed = seed }, "", seed: 1, withFingerprint: true).Fingerprint;
        Glyphs(1).ShouldBe(Glyphs(1));
        Glyphs(1).ShouldNotBe(Glyphs(2));
    }

    [Fact]
    public void TheLastOfManyBytesCountsToo()
    {
        byte[] images = new byte[16 + (3_000 * 784)], labels = new byte[8 + 3_000];
        new byte[] { 0, 0, 8, 3, 0, 0, 11, 184, 0, 0, 0, 28, 0, 0, 0, 28 }.CopyTo(images, 0);
        new byte[] { 0, 0, 8, 1, 0, 0, 11, 184 }.CopyTo(labels, 0);
        IdxSpec spec = new(new IdxFiles(_folder.Bytes("images", images), _folder.Bytes("labels", labels)));
        DataFingerprint? before = DataLoader.Load<float>(spec, "", seed: 1, withFingerprint: true).Fingerprint;
        images[^1] = 1;
        _folder.Bytes("images", images);
        DataLoader.Load<float>(spec, "", seed: 1, withFingerprint: true).Fingerprint.ShouldNotBe(before);
    }

    [Fact]
    public void NobodyPaysForItUnasked() =>
        DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Xor), "", seed: 1).Fingerprint.ShouldBeNull();

    private DataFingerprint Of(DataSpec spec, string train, string test)
    {
        _folder.Bytes("train.csv", Encoding.UTF8.GetBytes(train));
        _folder.Bytes("test.csv", Encoding.UTF8.GetBytes(test));
        return DataLoader.Load<double>(spec, _folder.Root, seed: 1, withFingerprint: true).Fingerprint.ShouldNotBeNull();
    }
}
