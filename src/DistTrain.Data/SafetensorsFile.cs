using DistTrain.Data.Sources;
using DistTrain.Numerics;

namespace DistTrain.Data;

/// <summary>
/// The bytes of the tensor <paramref name="name"/>, little-endian and row-major; asked for once per tensor, in ordinal order.
/// </summary>
public delegate ReadOnlySpan<byte> SafetensorsBytes(string name);

/// <summary>
/// Files of named tensors (<c>https://github.com/huggingface/safetensors</c>): the header's length as 64 bits, the header as JSON
/// padded with spaces to 8 bytes, then the tensors' bytes without gaps. Everything is little-endian.
/// </summary>
public static class SafetensorsFile
{
    /// <summary>
    /// Writes tensors in ordinal order of their names. The file appears whole or not at all: the bytes go to a file beside it,
    /// are flushed to the disk, and take its name. Throws <see cref="ArgumentException"/> for a repeated name, an unknown type,
    /// or bytes that do not fit the shape.
    /// </summary>
    public static void Write(
        string path, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        SortedDictionary<string, ReadOnlyMemory<byte>> data = new(StringComparer.Ordinal);
        List<SafetensorsEntry> entries = [];
        foreach (SafetensorsTensor tensor in tensors)
        {
            data[tensor.Name] = tensor.Data;
            entries.Add(tensor);
        }

        Write(path, entries, name => data[name].Span, metadata);
    }

    /// <summary>As the other overload, but takes each tensor's bytes from where they are, without a copy.</summary>
    public static void Write(
        string path, IEnumerable<SafetensorsEntry> entries, SafetensorsBytes bytes,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        WholeFile.Write(path, file => Write(file, entries, bytes, metadata), synced: true);
    }

    /// <summary>As the other overloads, but to a stream, which stays open.</summary>
    public static void Write(
        Stream stream, IEnumerable<SafetensorsEntry> entries, SafetensorsBytes bytes,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(bytes);
        SafetensorsEntry[] sorted = [.. entries.OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        stream.Write(SafetensorsHeader.Format(sorted, metadata));
        foreach (SafetensorsEntry entry in sorted)
        {
            ReadOnlySpan<byte> data = bytes(entry.Name);
            long needed = SafetensorsHeader.ByteCount(entry);
            if (data.Length != needed)
            {
                throw new ArgumentException($"The tensor '{entry.Name}' needs {needed} bytes, not {data.Length}.", nameof(bytes));
            }

            stream.Write(data);
        }
    }

    /// <summary>Checks a whole file's bytes as <see cref="Read"/> does; <paramref name="name"/> stands for the file in what is thrown.</summary>
    public static SafetensorsContents Parse(string name, byte[] file) => SafetensorsHeader.Parse(name, file);

    /// <summary>
    /// Reads a whole file and checks its header: lengths, JSON, types, shapes, and offsets that neither overlap, leave gaps, nor
    /// pass the end. Throws <see cref="InvalidInputException"/> that says what is wrong.
    /// </summary>
    public static SafetensorsContents Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{path}: there is no such file.");
        }

        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: cannot be read ({refused.Message})", refused);
        }

        return SafetensorsHeader.Parse(path, file);
    }
}
