using System.Text;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>Opens data files, whose compression is known by their content and not by their name.</summary>
internal static class InputFile
{
    // Images of clothes expand by 1.8, digits by 4.7.
    private const int UsualExpansion = 8;

    /// <summary>Where a path of an experiment file points; absolute paths stay as they are.</summary>
    public static string Locate(string baseFolder, string path, string key)
    {
        string full = Path.Combine(baseFolder, path);
        return File.Exists(full)
            ? full
            : throw new InvalidInputException($"{full}: there is no such file; `{key}` names it.");
    }

    /// <summary>
    /// Runs <paramref name="read"/> on the file's decompressed bytes; what the file system or the compression refuses becomes a
    /// message.
    /// </summary>
    public static TResult Read<TResult>(string path, Func<Stream, TResult> read) => Read(path, (stream, _) => read(stream));

    /// <summary>The same, with the number of bytes beyond which what a file says of its size is not believed before they are there.</summary>
    public static TResult Read<TResult>(string path, Func<Stream, long, TResult> read)
    {
        try
        {
            using FileStream file = new(
                path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
            if (!file.CanSeek)
            {
                throw new InvalidInputException($"{path}: is a pipe or a device, and what is read has to be read twice; expected a file");
            }

            if (!IsGzip(file))
            {
                return read(file, file.Length);
            }

            using GzipInput decompressed = new(file);
            return read(decompressed, UsualExpansion * file.Length);
        }
        catch (DecoderFallbackException foreign)
        {
            string bytes = string.Join(' ', (foreign.BytesUnknown ?? []).Select(value => $"0x{value:X2}"));
            throw new InvalidInputException(
                $"{path}: is not UTF-8: {bytes} stands for no character, and what is not read as it was meant may be taken for something else; expected UTF-8 "
                + "(iconv -f latin1 -t utf-8 makes it of Latin-1)",
                foreign);
        }
        catch (InvalidDataException damaged)
        {
            throw new InvalidInputException($"{path}: the gzip file is damaged or cut short ({damaged.Message})", damaged);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: cannot be read ({refused.Message})", refused);
        }
    }

    /// <summary>Runs <paramref name="read"/> on the file's decompressed text, which is UTF-8.</summary>
    public static TResult ReadText<TResult>(string path, Func<StreamReader, TResult> read) => Read(path, stream =>
    {
        using StreamReader text = Text(stream, fromStart: true);
        return read(text);
    });

    /// <summary>The text of a stream: UTF-8, unless its start says otherwise.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="fromStart">Whether it is a whole file and no rest of one, in which nothing marks an encoding.</param>
    public static StreamReader Text(Stream stream, bool fromStart) =>
        new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: fromStart, throwOnInvalidBytes: true), fromStart, bufferSize: 1 << 16);

    /// <summary>The text of some bytes. Throws <see cref="DecoderFallbackException"/> where they are not UTF-8.</summary>
    public static string Text(ReadOnlySpan<byte> bytes) => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);

    private static bool IsGzip(FileStream file)
    {
        Span<byte> start = stackalloc byte[2];
        int read = file.ReadAtLeast(start, 2, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 2 && start[0] == 0x1F && start[1] == 0x8B;
    }
}
