using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using DistTrain.Numerics;
using DistTrain.Numerics.Randomness;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static readonly int Inputs =
        Environment.GetEnvironmentVariable("DISTTRAIN_FUZZ_INPUTS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 50_000;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TensorsComeBackInOrdinalOrderWithShapesValuesAndMetadata()
    {
        SafetensorsFile.Write(Target, [Tensor("b", "F64", [2], [1.5, -2.0]), Tensor("B", "F32", [1, 2], [3f, 4f]), Tensor("scalar", "F64", [], [7.0])],
            new SortedDictionary<string, string> { ["format"] = "pt", ["ä"] = "\"quoted\"" });

        SafetensorsContents contents = SafetensorsFile.Read(Target);

        contents.Tensors.Select(tensor => tensor.Name).ShouldBe(["B", "b", "scalar"]);
        contents.Find("B")!.Shape.ShouldBe([1, 2]);
        contents.Find("B")!.ToValues<double>().ShouldBe([3, 4]);
        contents.Find("b")!.ToValues<float>().ShouldBe([1.5f, -2f]);
        contents.Find("scalar")!.Shape.ShouldBeEmpty();
        contents.Find("none").ShouldBeNull();
        contents.Metadata["ä"].ShouldBe("\"quoted\"");
    }

    [Fact]
    public void TheLayoutIsThatOfTheFormat()
    {
        SafetensorsFile.Write(Target, [Tensor("a", "F32", [1], [1f])]);

        byte[] file = File.ReadAllBytes(Target);
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(file);

        (header % 8).ShouldBe(0);
        Encoding.UTF8.GetString(file, 8, header).TrimEnd(' ')
            .ShouldBe("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""");
        file[(8 + header)..].ShouldBe([0, 0, 0x80, 0x3F]);
    }

    [Fact]
    public void HalfPrecisionIsRead()
    {
        SafetensorsFile.Write(Target, [Tensor("h", "F16", [2], [(Half)0.5f, (Half)(-3f)])]);

        SafetensorsFile.Read(Target).Find("h")!.ToValues<float>().ShouldBe([0.5f, -3f]);
    }

    [Fact]
    public void AFailedWriteLeavesTheOldFileAndNothingElse()
    {
        SafetensorsFile.Write(Target, [Tensor("a", "F32", [1], [1f])]);
        byte[] old = File.ReadAllBytes(Target);

        Should.Throw<ArgumentException>(() => SafetensorsFile.Write(Target, [Tensor("a", "F32", [3], [1f])])).Message
            .ShouldContain("needs 12 bytes, not 4");
        Should.Throw<ArgumentException>(() =>
            SafetensorsFile.Write(Target, [Tensor("a", "F32", [1], [1f]), Tensor("a", "F32", [1], [1f])]));
        Should.Throw<ArgumentException>(() => SafetensorsFile.Write(Target, [Tensor("a", "F31", [1], [1f])]));

        File.ReadAllBytes(Target).ShouldBe(old);
        Directory.GetFiles(_folder.Root).ShouldBe([Target]);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "its tensors have 4 bytes, and 8 follow the header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 3, "has the offsets [0, 4], and the data has 3 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "has the offsets [4, 0]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "of F32 [2] needs 8 bytes, and its offsets give it 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "has -1 in its shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,4],"data_offsets":[0,4]}}""", 4, "needs 9223372036854775807 bytes")]
    [InlineData("""{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,4]}}""", 4, "the unknown type 'X9'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "is not an object with dtype, shape and data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4, "has no array as its shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "'b' begins at 2, and the bytes before it end at 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "'b' begins at 8, and the bytes before it end at 4")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "'a' comes twice")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__: 'a' is not a text")]
    [InlineData("""[]""", 0, "its header is not a JSON object")]
    [InlineData("""{"a":""", 0, "its header is no JSON")]
    public void AWrongHeaderIsRefusedWithTheReason(string header, int dataBytes, string expected)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        _folder.Bytes("model.safetensors", file);

        string message = Should.Throw<InvalidInputException>(() => SafetensorsFile.Read(Target)).Message;

        message.ShouldStartWith($"{Target}: ");
        message.ShouldContain(expected);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 }, "3 bytes are too few")]
    [InlineData(new byte[] { 9, 0, 0, 0, 0, 0, 0, 0, 123, 125 }, "its header should have 9 bytes, and 2 follow")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 123, 125 }, "its header should have 18446744073709551615 bytes")]
    public void AWrongLengthIsRefused(byte[] file, string expected)
    {
        _folder.Bytes("model.safetensors", file);

        Should.Throw<InvalidInputException>(() => SafetensorsFile.Read(Target)).Message.ShouldContain(expected);
    }

    [Fact]
    public void EveryCutOfAFileIsRefused()
    {
        SafetensorsFile.Write(Target, [Tensor("a", "F32", [3], [1f, 2f, 3f]), Tensor("b", "F64", [1], [4.0])]);
        byte[] whole = File.ReadAllBytes(Target);
        for (int length = 0; length < whole.Length; length++)
        {
            _folder.Bytes("model.safetensors", whole[..length]);
            Should.Throw<InvalidInputException>(() => SafetensorsFile.Read(Target));
        }
    }

    [Fact]
    public void ADamagedFileIsReadOrRefusedInWordsAndNothingElse()
    {
        SafetensorsFile.Write(
            Target, [Tensor("layers.0.weight", "F32", [2, 3], [1f, 2f, 3f, 4f, 5f, 6f]), Tensor("layers.0.bias", "F64", [1], [4.0])], new Dictionary<string, string> { ["seed"] = "1" });
        byte[] whole = File.ReadAllBytes(Target);
        RandomStream random = new(5, RandomPurpose.Faults);
        long draw = 0;
        int read = 0, refused = 0;
        for (int input = 0; input < Inputs; input++)
        {
            byte[] file = Damage(whole, bound => random.Below(draw++, bound));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                SafetensorsFile.Parse("damaged", file).Tensors.Count.ShouldBeLessThanOrEqualTo(file.Length);
                read++;
            }
            catch (InvalidInputException refusal) when (refusal.Message.StartsWith("damaged", StringComparison.Ordinal))
            {
                refused++;
            }

            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100_000 + (64 * file.Length));
        }

        read.ShouldBeGreaterThan(Inputs / 50);
        refused.ShouldBeGreaterThan(Inputs / 5);
    }

    private static byte[] Damage(byte[] whole, Func<int, int> below)
    {
        byte[] file = [.. whole];
        switch (below(4))
        {
            case 0:
                return file[..below(file.Length)];
            case 1:
                int from = below(file.Length), count = below(file.Length - from);
                return [.. file[..from], .. file[(from + count)..]];
            case 2:
                int at = below(file.Length);
                return [.. file[..at], .. Enumerable.Range(0, 1 + below(40)).Select(_ => (byte)below(256)), .. file[at..]];
            default:
                for (int changes = 1 + below(4); changes > 0; changes--)
                {
                    file[below(file.Length)] = (byte)"0123456789-[]{},:\"eEF\0\u007f"[below(23)];
                }

                return file;
        }
    }

    [Fact]
    public void AMissingFileIsNamed() =>
        Should.Throw<InvalidInputException>(() => SafetensorsFile.Read(Target)).Message
            .ShouldBe($"{Target}: there is no such file.");

    private string Target => Path.Combine(_folder.Root, "model.safetensors");

    private static SafetensorsTensor Tensor<T>(string name, string dtype, int[] shape, T[] values)
        where T : unmanaged => new(name, dtype, shape, MemoryMarshal.AsBytes<T>(values).ToArray());
}
