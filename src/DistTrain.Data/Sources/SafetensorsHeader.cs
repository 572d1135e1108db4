using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>The JSON header of a safetensors file.</summary>
internal static class SafetensorsHeader
{
    /// <summary>The longest header that the format's own library reads.</summary>
    private const int MaxHeaderBytes = 100_000_000;

    private const string MetadataKey = "__metadata__";

    /// <summary>The header with its length before it. Entries must be in the order of their bytes.</summary>
    public static byte[] Format(IReadOnlyList<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            for (int i = 0; i < entries.Count; i++)
            {
                if (entries[i].Name == MetadataKey || (i > 0 && entries[i].Name == entries[i - 1].Name))
                {
                    throw new ArgumentException(
                        $"The tensor name '{entries[i].Name}' is reserved or comes twice.", nameof(entries));
                }

                offset = WriteEntry(json, entries[i], offset);
            }

            json.WriteEndObject();
        }

        int padded = (buffer.WrittenCount + 7) / 8 * 8;
        byte[] header = new byte[8 + padded];
        BinaryPrimitives.WriteInt64LittleEndian(header, padded);
        buffer.WrittenSpan.CopyTo(header.AsSpan(8));
        header.AsSpan(8 + buffer.WrittenCount).Fill((byte)' ');
        return header;
    }

    /// <summary>Bytes of a tensor. Throws <see cref="ArgumentException"/> for an unknown type or a negative size.</summary>
    public static long ByteCount(SafetensorsEntry entry)
    {
        long count = SizeOf(entry.DType) ?? throw new ArgumentException(
            $"The tensor '{entry.Name}' has the unknown type '{entry.DType}'.");
        foreach (int size in entry.Shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(entry));
            count = checked(count * size);
        }

        return count;
    }

    /// <summary>A whole file's tensors; throws <see cref="InvalidInputException"/> with what is wrong.</summary>
    public static SafetensorsContents Parse(string path, ReadOnlyMemory<byte> file)
    {
        if (file.Length < 8)
        {
            throw Wrong(path, $"{file.Length} bytes are too few for a safetensors file");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        if (length > (ulong)Math.Min(MaxHeaderBytes, file.Length - 8))
        {
            throw Wrong(
                path, $"its header should have {length} bytes, and {file.Length - 8} follow (at most {MaxHeaderBytes:N0} are read)");
        }

        ReadOnlyMemory<byte> header = file.Slice(8, (int)length), data = file[(8 + (int)length)..];
        try
        {
            using JsonDocument json = JsonDocument.Parse(header);
            return Parse(path, json.RootElement, data);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new InvalidInputException($"{path}: its header is no JSON of UTF-8 text: {malformed.Message}", malformed);
        }
    }

    private static long WriteEntry(Utf8JsonWriter json, SafetensorsEntry entry, long offset)
    {
        long end = offset + ByteCount(entry);
        json.WriteStartObject(entry.Name);
        json.WriteString("dtype", entry.DType);
        json.WriteStartArray("shape");
        foreach (int size in entry.Shape)
        {
            json.WriteNumberValue(size);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
        return end;
    }

    private static SafetensorsContents Parse(string path, JsonElement root, ReadOnlyMemory<byte> data)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(path, "its header is not a JSON object");
        }

        SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);
        SortedDictionary<string, (SafetensorsTensor Tensor, long Begin, long End)> tensors = new(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.NameEquals(MetadataKey))
            {
                ReadMetadata(path, property.Value, metadata);
            }
            else if (!tensors.TryAdd(property.Name, ReadEntry(path, property, data)))
            {
                throw Wrong(path, $"the tensor '{property.Name}' comes twice");
            }
        }

        long covered = 0;
        foreach ((SafetensorsTensor tensor, long begin, long end) in tensors.Values.OrderBy(entry =>
            entry.Begin).ThenBy(entry => entry.End))
        {
            covered = begin == covered
                ? end
                : throw Wrong(path, $"the tensor '{tensor.Name}' begins at {begin}, and the bytes before it end at {covered}");
        }

        return covered == data.Length
            ? new SafetensorsContents([.. tensors.Values.Select(entry => entry.Tensor)], metadata)
            : throw Wrong(path, $"its tensors have {covered} bytes, and {data.Length} follow the header");
    }

    private static void ReadMetadata(string path, JsonElement value, SortedDictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(path, $"{MetadataKey} is not an object");
        }

        foreach (JsonProperty pair in value.EnumerateObject())
        {
            metadata[pair.Name] = pair.Value.ValueKind == JsonValueKind.String
                ? pair.Value.GetString()!
                : throw Wrong(path, $"{MetadataKey}: '{pair.Name}' is not a text");
        }
    }

    private static (SafetensorsTensor Tensor, long Begin, long End) ReadEntry(
        string path, JsonProperty property, ReadOnlyMemory<byte> data)
    {
        string name = property.Name;
        if (property.Value.ValueKind != JsonValueKind.Object
            || !property.Value.TryGetProperty("dtype", out JsonElement type) || type.ValueKind != JsonValueKind.String
            || !property.Value.TryGetProperty("shape", out JsonElement shape)
            || !property.Value.TryGetProperty("data_offsets", out JsonElement range))
        {
            throw Wrong(path, $"the tensor '{name}' is not an object with dtype, shape and data_offsets");
        }

        string dtype = type.GetString()!;
        int size = SizeOf(dtype) ?? throw Wrong(path, $"the tensor '{name}' has the unknown type '{dtype}'");
        long[] sizes = ReadNumbers(path, name, "shape", shape), offsets = ReadNumbers(path, name, "data_offsets", range);
        if (offsets.Length != 2 || offsets[0] > offsets[1] || offsets[1] > data.Length)
        {
            throw Wrong(
                path, $"the tensor '{name}' has the offsets [{string.Join(", ", offsets)}], and the data has {data.Length} bytes");
        }

        UInt128 needed = (UInt128)size;
        foreach (long one in sizes)
        {
            // Two factors below 2^63 fit 128 bits, and what is beyond any file stays beyond it.
            needed = one == 0 ? 0 : UInt128.Min(long.MaxValue, needed * (UInt128)one);
        }

        if (needed != (UInt128)(offsets[1] - offsets[0]))
        {
            throw Wrong(
                path,
                $"the tensor '{name}' of {dtype} [{string.Join(", ", sizes)}] needs {needed} bytes, "
                + $"and its offsets give it {offsets[1] - offsets[0]}");
        }

        ReadOnlyMemory<byte> bytes = data[(int)offsets[0]..(int)offsets[1]];
        return (new SafetensorsTensor(name, dtype, [.. sizes.Select(one => (int)one)], bytes), offsets[0], offsets[1]);
    }

    private static long[] ReadNumbers(string path, string name, string key, JsonElement array)
    {
        if (array.ValueKind == JsonValueKind.Array)
        {
            long[] numbers = new long[array.GetArrayLength()];
            for (int i = 0; i < numbers.Length; i++)
            {
                bool whole = array[i].ValueKind == JsonValueKind.Number && array[i].TryGetInt64(out numbers[i]);
                if (!whole || numbers[i] < 0 || (key == "shape" && numbers[i] > int.MaxValue))
                {
                    throw Wrong(path, $"the tensor '{name}' has {array[i]} in its {key}, which is no size");
                }
            }

            return numbers;
        }

        throw Wrong(path, $"the tensor '{name}' has no array as its {key}");
    }

    private static int? SizeOf(string dtype) => dtype switch
    {
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" => 1,
        "U16" or "I16" or "F16" or "BF16" => 2,
        "U32" or "I32" or "F32" => 4,
        "U64" or "I64" or "F64" => 8,
        _ => null,
    };

    private static InvalidInputException Wrong(string path, string what) => new($"{path}: {what}.");
}
