using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using DistTrain.Commands;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Threads;

namespace DistTrain.Dashboard.Tests;

/// <summary>What other programs make of what is exported.</summary>
public sealed class ExportTests : IDisposable
{
    private const string Experiment =
        """
        name: small
        seed: 5
        precision: PRECISION
        data: { source: blobs, train-rows: 60, test-rows: 20, inputs: 3 }
        network:
        LAYERS
          - dense: { units: 3, activation: softmax }
        loss: cross-entropy
        optimizer: { name: sgd, learning-rate: 0.1 }
        training: { epochs: 2, batch-size: 10 }
        """;

    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [SkippableTheory]
    [InlineData("float32", "dense: { units: 5, activation: linear, bias: false }")]
    [InlineData("float32", "dense: { units: 5, activation: relu }")]
    [InlineData("float32", "dense: { units: 5, activation: leaky-relu }", "dense: { units: 5, activation: leaky-relu, slope: 0.3 }")]
    [InlineData("float32", "dense: { units: 5, activation: prelu }", "dense: { units: 4, activation: elu }", "dropout: { rate: 0.5 }")]
    [InlineData("float32", "dense: { units: 5, activation: tanh }", "dense: { units: 4, activation: sigmoid }", "dense: { units: 4, activation: softmax }")]
    [InlineData("float32", "maxout: { units: 4, pieces: 3 }", "k-competitive: { units: 6, k: 2, alpha: 3 }")]
    [InlineData("float32", "dense: { units: 4, activation: tanh }", "dense: { units: 5, activation: relu }", "dense: { units: 4, activation: tanh, tied: 1 }")]
    [InlineData("float64", "dense: { units: 5, activation: leaky-relu }", "dense: { units: 5, activation: prelu }", "dense: { units: 4, activation: elu }")]
    [InlineData("float64", "maxout: { units: 4, pieces: 3 }", "k-competitive: { units: 6, k: 2, alpha: 3 }", "dense: { units: 4, activation: sigmoid }")]
    public void OnnxRuntimeGivesTheSameOutputsForEveryKindOfLayer(string precision, params string[] layers)
    {
        Node.SkipWithoutPackages();
        string text = Experiment.Replace("PRECISION", precision, StringComparison.Ordinal)
            .Replace("LAYERS", string.Join('\n', layers.Select(layer => $"  - {layer}")), StringComparison.Ordinal);
        File.WriteAllText(At("my.yaml"), text);
        File.WriteAllText(At("rows.csv"), "a,b,c\n0,0,0\n1,-2,0.5\n-3,4,10\n0.001,-0.001,7\n-20,30,-40\n");
        Run("train", "my.yaml", "--out", "run");
        Run("predict", "run", "rows.csv", "--out", "predictions.csv");
        Run("export", "run", "--format", "onnx", "--out", "model.onnx");
        double.Parse(Node.Run("onnx.mjs", At("model.onnx"), At("rows.csv"), At("predictions.csv"), precision), CultureInfo.InvariantCulture)
            .ShouldBeLessThan(precision == "float64" ? 1e-12 : 1e-6);
    }

    [Fact]
    public void EveryRecordOfATensorBoardFileHasItsChecksums()
    {
        Run("train", "blobs", "--out", "run");
        Run("export", "run", "--format", "tensorboard", "--out", "logs");
        byte[] file = File.ReadAllBytes(Directory.GetFiles(At("logs"), "events.out.tfevents.*").Single());
        int records = 0;
        for (int at = 0; at < file.Length; records++)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)).ShouldBe(Masked(file.AsSpan(at, 8)));
            BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)).ShouldBe(Masked(file.AsSpan(at + 12, length)));
            at += length + 16;
        }

        records.ShouldBe(1 + File.ReadLines(At("run/metrics.jsonl")).Count());
        string text = Encoding.Latin1.GetString(file);
        text.ShouldContain("brain.Event:2");
        text.ShouldContain("loss/step");
        text.ShouldContain("accuracy/test");

        // The standard check value of CRC-32C, so that the checksums above are known to be of the right kind.
        Crc("123456789"u8).ShouldBe(0xE3069283);
    }

    [Fact]
    public void AModelFromElsewhereIsReadWhateverItsTensorsAreCalled()
    {
        Run("train", "blobs", "--out", "run");
        string own = Run("evaluate", "run");
        SafetensorsContents contents = SafetensorsFile.Read(At("run/model.safetensors"));
        SafetensorsFile.Write(At("torch.safetensors"), contents.Tensors.Reverse().Select(tensor => tensor with
        {
            Name = tensor.Name.Replace("layers.1.", "net.10.", StringComparison.Ordinal).Replace("layers.0.", "net.2.", StringComparison.Ordinal),
        }));
        Run("evaluate", "run", "--model", "torch.safetensors").ShouldBe(own);
        Run("evaluate", "blobs", "--model", "torch.safetensors").ShouldBe(own);
        Run("predict", "blobs", "--model", "torch.safetensors").ShouldBe(Run("predict", "run"));
        SafetensorsFile.Write(At("short.safetensors"), contents.Tensors.Take(3));
        Execute("evaluate", "run", "--model", "short.safetensors").Code.ShouldBe(2);
        Execute("evaluate", "run", "--model", "none.safetensors").Error.ShouldContain("--model none.safetensors: there is no such file");
    }

    private static uint Masked(ReadOnlySpan<byte> bytes) => unchecked(BitOperations.RotateRight(Crc(bytes), 15) + 0xa282ead8);

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        // Bit by bit, as the definition has it: the reflected polynomial of Castagnoli.
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) == 1 ? 0x82F63B78 : 0);
            }
        }

        return ~crc;
    }

    private string At(string name) => Path.Combine(_runs.Root, name);

    private string Run(params string[] args)
    {
        (int code, string output, string error) = Execute(args);
        code.ShouldBe(0, error);
        return output;
    }

    private (int Code, string Out, string Error) Execute(params string[] args)
    {
        using StringWriter output = new(), error = new();
        IEngine[] engines = [new ThreadsEngine()];
        int code = CommandApp.Run(args, engines, new CommandHost { Out = output, Error = error, WorkingFolder = _runs.Root });
        return (code, output.ToString(), error.ToString());
    }
}
