using System.Buffers.Binary;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class IdxTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ImagesAndLabelsAreReadPlainOrCompressedWhateverTheNameSays()
    {
        _folder.Bytes("images.gz", Idx(0x08, [2, 1, 3], [0, 51, 255, 1, 2, 3]));
        _folder.Bytes("labels", TestFolder.Gzip(Idx(0x08, [2], [2, 0])));

        DataSet<double> train = Load(new IdxSpec(new IdxFiles("images.gz", "labels")) { Scaling = new Scaling(Scale: 255) }).Train;

        (train.Rows, train.Inputs, train.Targets, train.TargetsAreClasses).ShouldBe((2, 3, 3, true));
        train.Inputs(0).ShouldBe([0, 51.0 / 255, 1]);
        train.TargetsOf(1, 0).ShouldBe([1, 0, 0, 0, 0, 1]);
        train.LabelOf(0).ShouldBe(2);
        train.ClassNames.ShouldBe(["0", "1", "2"]);
    }

    [Theory]
    [InlineData(0x09, new byte[] { 0xFF }, -1.0)]
    [InlineData(0x0B, new byte[] { 0x01, 0x02 }, 258.0)]
    [InlineData(0x0C, new byte[] { 0xFF, 0xFF, 0xFF, 0xFE }, -2.0)]
    [InlineData(0x0D, new byte[] { 0x3F, 0xC0, 0, 0 }, 1.5)]
    [InlineData(0x0E, new byte[] { 0xC0, 0x04, 0, 0, 0, 0, 0, 0 }, -2.5)]
    public void EveryElementTypeIsBigEndian(int type, byte[] element, double expected)
    {
        _folder.Bytes("images", Idx(type, [1, 1], element));
        _folder.Bytes("labels", Idx(0x08, [1], [0]));

        Load().Train.Inputs(0).ShouldBe([expected]);
    }

    [Fact]
    public void AnAutoencoderNeedsNoLabels()
    {
        _folder.Bytes("images", Idx(0x08, [2, 2], [1, 2, 3, 4]));

        DataSet<double> train = Load(new IdxSpec(new IdxFiles("images", null)) { TargetsAreInputs = true }).Train;

        (train.Targets, train.TargetsAreClasses, train.HasLabels).ShouldBe((2, false, false));
        train.TargetsOf(1).ShouldBe([3, 4]);
        Should.Throw<InvalidOperationException>(() => train.LabelOf(0));
    }

    [Fact]
    public void AMissingFileIsNamedWithItsKey()
    {
        _folder.Bytes("images", Idx(0x08, [1, 1], [1]));

        Failure().ShouldBe($"{Path.Combine(_folder.Root, "labels")}: there is no such file; `data: train: labels` names it.");
    }

    [Fact]
    public void ACutFileSaysHowManyBytesAreThereAndHowManyAreNeeded()
    {
        _folder.Bytes("images", Idx(0x08, [2, 2], [1, 2, 3]));

        Failure().ShouldBe($"{Path.Combine(_folder.Root, "images")}: cut short: 15 bytes are there and its header needs 16.");
    }

    [Fact]
    public void BytesBehindTheLastElementAreRefused()
    {
        _folder.Bytes("images", Idx(0x08, [2, 2], [1, 2, 3, 4, 5]));

        Failure().ShouldContain("more bytes than the 16 that its header needs");
    }

    [Fact]
    public void AHeaderThatDemandsMoreThanTheFileHoldsCostsNoMemory()
    {
        _folder.Bytes("images", Idx(0x08, [2_000_000, 1000], [1, 2, 3]));
        long before = GC.GetAllocatedBytesForCurrentThread();

        Failure().ShouldContain("15 bytes are there and its header needs 2000000012");

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(10_000_000);
    }

    [Fact]
    public void SizesWhoseProductOverflowsAreRefused()
    {
        _folder.Bytes("images", [0, 0, 0x0E, 3, .. Enumerable.Repeat((byte)0xFF, 12)]);

        Failure().ShouldContain("are more than the 2,147,483,591 bytes that one file may hold");
    }

    [Fact]
    public void ACutGzipFileIsRefused()
    {
        byte[] whole = TestFolder.Gzip(Idx(0x08, [100, 100], [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * i))]));
        _folder.Bytes("images", whole[..^5]);

        Failure().ShouldContain($"{Path.Combine(_folder.Root, "images")}: the gzip file is damaged or cut short");
    }

    [Fact]
    public void AWrongMagicSaysWhatWasFoundAndWhatIsExpected()
    {
        _folder.Text("images", "P5 28 28 255");

        Failure().ShouldContain("starts with 0x50352032; images of bytes start with 0x00000803, labels with 0x00000801");
    }

    [Fact]
    public void CountsThatDifferAreRefused()
    {
        _folder.Bytes("images", Idx(0x08, [2, 1], [1, 2]));
        _folder.Bytes("labels", Idx(0x08, [3], [0, 1, 0]));

        Failure().ShouldBe($"{Path.Combine(_folder.Root, "labels")}: 3 labels for the 2 images of {Path.Combine(_folder.Root, "images")}.");
    }

    [Fact]
    public void ALabelBeyondTheClassesIsNamedWithItsRow()
    {
        _folder.Bytes("images", Idx(0x08, [2, 1], [1, 2]));
        _folder.Bytes("labels", Idx(0x08, [2], [0, 3]));

        Should.Throw<InvalidInputException>(() => Load(new IdxSpec(new IdxFiles("images", "labels")) { Classes = 3 })).Message
            .ShouldBe($"{Path.Combine(_folder.Root, "labels")}: row 2 has the label 3, and the 3 classes are 0 to 2.");
    }

    [Fact]
    public void ATestLabelMustBeAClassOfTheTrainingRows()
    {
        _folder.Bytes("images", Idx(0x08, [2, 1], [1, 2]));
        _folder.Bytes("labels", Idx(0x08, [2], [0, 1]));
        _folder.Bytes("test", Idx(0x08, [2], [0, 2]));

        IdxSpec spec = new(new IdxFiles("images", "labels"), new IdxFiles("images", "test"));
        Should.Throw<InvalidInputException>(() => Load(spec)).Message
            .ShouldContain("row 2 has the label 2, and the 2 classes are 0 to 1");
    }

    [Fact]
    public void AValueThatIsNotANumberIsNamedWithRowAndColumn()
    {
        byte[] elements = new byte[16];
        BinaryPrimitives.WriteSingleBigEndian(elements.AsSpan(12), float.NaN);
        _folder.Bytes("images", Idx(0x0D, [2, 2], elements));

        Failure().ShouldContain("row 2, column 2 is NaN, not a finite number");
    }

    private static byte[] Idx(int type, int[] sizes, byte[] elements)
    {
        byte[] file = new byte[4 + (4 * sizes.Length) + elements.Length];
        (file[2], file[3]) = ((byte)type, (byte)sizes.Length);
        for (int i = 0; i < sizes.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + (4 * i)), sizes[i]);
        }

        elements.CopyTo(file, 4 + (4 * sizes.Length));
        return file;
    }

    private TrainTest<double> Load(IdxSpec? spec = null) =>
        DataLoader.Load<double>(spec ?? new IdxSpec(new IdxFiles("images", "labels")), _folder.Root, seed: 1);

    private string Failure() => Should.Throw<InvalidInputException>(() => Load()).Message;
}
