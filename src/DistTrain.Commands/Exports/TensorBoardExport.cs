using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using DistTrain.Numerics;

namespace DistTrain.Commands.Exports;

/// <summary>
/// A run's metrics as a TensorBoard event file: records of length, masked CRC-32C, Event message, masked CRC-32C (tensorflow/core/lib/io/record_writer.cc,
/// tensorflow/core/util/event.proto).
/// </summary>
internal static class TensorBoardExport
{
    private const uint MaskDelta = 0xa282ead8;

    /// <summary>Figures of a line of metrics, and their names in TensorBoard.</summary>
    private static readonly (string Type, string Key, string Tag)[] Figures =
    [
        ("step", "loss", "loss/step"), ("step", "accuracy", "accuracy/step"), ("step", "learning_rate", "learning_rate"),
        ("epoch", "train_loss", "loss/train"), ("epoch", "train_accuracy", "accuracy/train"), ("epoch", "test_loss", "loss/test"), ("epoch", "test_accuracy", "accuracy/test"),
    ];

    /// <summary>The bytes of the event file.</summary>
    /// <param name="metrics">Path of <c>metrics.jsonl</c>.</param>
    /// <param name="start">When the run began, in seconds since 1970.</param>
    public static byte[] Write(string metrics, double start)
    {
        using MemoryStream file = new();
        Record(file, new ProtobufWriter().Double(1, start).Text(3, "brain.Event:2"));
        int number = 0;
        foreach (string line in File.ReadLines(metrics))
        {
            number++;
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                Add(file, document.RootElement, start);
            }
            catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                throw new InvalidInputException(
                    string.Create(CultureInfo.InvariantCulture, $"{metrics}:{number}: this line is no metric that disttrain wrote ({broken.Message})"), broken);
            }
        }

        return file.ToArray();
    }

    private static void Add(MemoryStream file, JsonElement line, double start)
    {
        string type = line.GetProperty("type").GetString() ?? "";
        string seed = line.TryGetProperty("restart", out JsonElement restart) ? string.Create(CultureInfo.InvariantCulture, $"seed-{restart.GetInt32() + 1}/") : "";
        ProtobufWriter summary = new();
        bool any = false;
        foreach ((_, string key, string tag) in Figures.Where(figure => figure.Type == type))
        {
            if (line.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Number)
            {
                any = true;
                summary.Message(1, new ProtobufWriter().Text(1, seed + tag).Single(2, (float)value.GetDouble()));
            }
        }

        if (any)
        {
            double time = start + line.GetProperty("elapsed_seconds").GetDouble();
            Record(file, new ProtobufWriter().Double(1, time).Number(2, line.GetProperty("step").GetInt64()).Message(5, summary));
        }
    }

    private static void Record(MemoryStream file, ProtobufWriter message)
    {
        byte[] bytes = message.ToArray();
        Span<byte> length = stackalloc byte[sizeof(ulong)], check = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)bytes.Length);
        file.Write(length);
        BinaryPrimitives.WriteUInt32LittleEndian(check, Masked(length));
        file.Write(check);
        file.Write(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(check, Masked(bytes));
        file.Write(check);
    }

    /// <summary>The checksum of a record: rotated and shifted, so that a file of checksums does not check itself.</summary>
    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return unchecked(BitOperations.RotateRight(~crc, 15) + MaskDelta);
    }
}
