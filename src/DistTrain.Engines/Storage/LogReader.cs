using DistTrain.Numerics;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Storage;

/// <summary>The segments of a log in a folder, read and checked.</summary>
internal sealed class LogReader
{
    private const int ChunkBytes = 1 << 16;

    private readonly IDisk _disk;
    private readonly byte[] _chunk = new byte[ChunkBytes];

    private readonly List<(string File, long Whole, long Length)> _torn = [];

    private LogReader(IDisk disk, string folder, LogPart? part)
    {
        _disk = disk;
        LogSegment[] segments = [.. disk.Files(folder).Select(LogSegment.Of).OfType<LogSegment>().Where(segment => part is null || part.Reads(segment))];
        Segments = [.. segments.Select(segment => Path.Combine(folder, segment.FileName))];
        LastNumber = Math.Max(part?.Before ?? 0, segments.Length == 0 ? 0 : segments[^1].Number);
    }

    /// <summary>The segments' files, oldest first; one that holds nothing whole is in <see cref="Torn"/> too.</summary>
    public IReadOnlyList<string> Segments { get; }

    /// <summary>What the records amount to.</summary>
    public LogIndex Index { get; private set; } = new();

    /// <summary>The last segment of each writer whose end was torn by a crash, how much of it is whole, and how much there is.</summary>
    public IReadOnlyList<(string File, long Whole, long Length)> Torn => _torn;

    /// <summary>Which settings the log was written with; null when it holds nothing.</summary>
    public ulong? Fingerprint { get; private set; }

    /// <summary>The number of the newest segment; 0 for none.</summary>
    public long LastNumber { get; }

    /// <summary>
    /// Reads every segment. A torn end is noted; damage anywhere else is refused: throws <see cref="InvalidInputException"/> with file, offset and what is wrong.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="folder">The journal folder.</param>
    /// <param name="part">Whose part of the log; null for all of it, when nobody writes it.</param>
    public static LogReader Read(IDisk disk, string folder, LogPart? part = null)
    {
        LogReader reader = new(disk, folder, part);
        for (int segment = 0; segment < reader.Segments.Count; segment++)
        {
            try
            {
                string writer = WriterOf(reader.Segments[segment]);
                reader.ReadSegment(reader.Segments[segment], reader.Segments.Skip(segment + 1).All(later => WriterOf(later) != writer));
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                throw new InvalidInputException($"{reader.Segments[segment]}: cannot be read ({refused.Message})", refused);
            }
        }

        return reader;
    }

    /// <summary>The number of the newest segment in a folder, whoever wrote it; 0 for none.</summary>
    public static long LastNumberIn(IDisk disk, string folder) =>
        disk.Files(folder).Select(LogSegment.Of).Max(segment => segment?.Number) ?? 0;

    /// <summary>Forgets what was read, where another run begins in its place.</summary>
    public void Forget() => Index = new LogIndex();

    private static string WriterOf(string file) => LogSegment.Of(Path.GetFileName(file))!.Value.Writer;

    private void ReadSegment(string file, bool isLast)
    {
        long length = _disk.Length(file);
        byte[] header = new byte[LogFormat.SegmentHeaderBytes];
        int read = _disk.Read(file, 0, header);
        if (isLast && IsUnwritten(header.AsSpan(0, read)) && FindSafeRecord(file, 0, length) is null)
        {
            _torn.Add((file, 0, length));
            return;
        }

        if (LogFormat.SegmentProblem(header.AsSpan(0, read), out ulong fingerprint) is string problem)
        {
            throw new InvalidInputException($"{file}: offset 0: {problem}");
        }

        Fingerprint = fingerprint;
        long position = LogFormat.SegmentHeaderBytes;
        while (position < length)
        {
            if (!TryReadRecord(file, position, length, out LogRecordHeader record, out string what))
            {
                RequireTorn(file, position, length, isLast, what);
                _torn.Add((file, position, length));
                return;
            }

            Take(file, position, record);
            position += LogFormat.RecordHeaderBytes + record.Length + LogFormat.Padding(record.Length);
        }
    }

    /// <summary>A header of which nothing, or a first part, has reached the disk.</summary>
    private static bool IsUnwritten(ReadOnlySpan<byte> header) =>
        header.IndexOfAnyExcept((byte)0) < 0
        || (header.Length < LogFormat.SegmentHeaderBytes
            && header[..Math.Min(header.Length, LogFormat.SegmentMagic.Length)].SequenceEqual(
                LogFormat.SegmentMagic[..Math.Min(header.Length, LogFormat.SegmentMagic.Length)]));

    /// <summary>A crash tears the end of the last segment. Where a later record says that this part was safe already, something else has damaged it.</summary>
    private void RequireTorn(string file, long position, long length, bool isLast, string what)
    {
        if (!isLast)
        {
            throw new InvalidInputException($"{file}: offset {position}: {what}, and a later segment follows; expected the log as it was written");
        }

        if (FindSafeRecord(file, position, length) is long later)
        {
            throw new InvalidInputException(
                $"{file}: offset {position}: {what}, but the record at offset {later} was written when this one was safe; expected the log as it was written");
        }
    }

    /// <summary>The position of a whole record beyond one that is not, which was written when that one was safe; null for none.</summary>
    private long? FindSafeRecord(string file, long position, long length)
    {
        byte[] window = new byte[ChunkBytes];
        long first = (position / LogFormat.Alignment * LogFormat.Alignment) + LogFormat.Alignment;
        for (long start = first; start < length; start += ChunkBytes - LogFormat.RecordHeaderBytes)
        {
            int read = _disk.Read(file, start, window);
            for (int at = 0; at + LogFormat.RecordHeaderBytes <= read; at += LogFormat.Alignment)
            {
                if (LogFormat.TryReadRecordHeader(window.AsSpan(at, LogFormat.RecordHeaderBytes), out LogRecordHeader record)
                    && record.Safe > position
                    && TryReadRecord(file, start + at, length, out _, out _))
                {
                    return start + at;
                }
            }
        }

        return null;
    }

    private bool TryReadRecord(string file, long position, long length, out LogRecordHeader record, out string what)
    {
        Span<byte> header = stackalloc byte[LogFormat.RecordHeaderBytes];
        int read = _disk.Read(file, position, header);
        if (!LogFormat.TryReadRecordHeader(header[..read], out record))
        {
            what = "no record begins here";
            return false;
        }

        long from = position + LogFormat.RecordHeaderBytes;
        if (record.Length > length - from - LogFormat.Padding(record.Length))
        {
            what = $"a record of {record.Length} bytes goes beyond the end of the file";
            return false;
        }

        uint crc = Crc32C.Start;
        for (long done = 0; done < record.Length;)
        {
            int got = _disk.Read(file, from + done, _chunk.AsSpan(0, (int)Math.Min(_chunk.Length, record.Length - done)));
            if (got == 0)
            {
                break;
            }

            crc = Crc32C.Add(crc, _chunk.AsSpan(0, got));
            done += got;
        }

        what = "a record does not match its checksum";
        return Crc32C.End(crc) == record.Checksum;
    }

    private void Take(string file, long position, in LogRecordHeader record)
    {
        try
        {
            switch (record.Kind)
            {
                case LogRecordKind.Prepared:
                    TakePrepared(file, position, record);
                    break;
                case LogRecordKind.Committed:
                    Index.Add(LogFormat.ReadCommitted(Payload(file, position, record.Length)), file);
                    break;
                case LogRecordKind.Membership:
                    Index.Add(LogFormat.ReadMembership(Payload(file, position, record.Length)));
                    break;
                case LogRecordKind.Promise:
                    Index.AddPromise(LogFormat.ReadPromise(Payload(file, position, record.Length)));
                    break;
                default:
                    throw new InvalidInputException($"{file}: offset {position}: a record of kind {(int)record.Kind}; expected 1 to 4");
            }
        }
        catch (EndOfStreamException exception)
        {
            throw new InvalidInputException($"{file}: offset {position}: a record says more than it holds; expected one that a run has written", exception);
        }
    }

    private void TakePrepared(string file, long position, in LogRecordHeader record)
    {
        long payload = position + LogFormat.RecordHeaderBytes;
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        int read = _disk.Read(file, payload, prefix);
        int described = BitConverter.ToInt32(prefix);
        if (read < prefix.Length || record.Length < prefix.Length || described < prefix.Length || described > record.Length)
        {
            throw new EndOfStreamException();
        }

        List<LogEntry> entries = LogFormat.ReadPrepared(Payload(file, position, described));
        if (entries.Sum(entry => entry.Bytes) != record.Length - described)
        {
            throw new EndOfStreamException();
        }

        long at = payload + described;
        foreach (LogEntry entry in entries)
        {
            Index.Add(entry with { File = file, Position = at });
            at += entry.Bytes;
        }
    }

    private byte[] Payload(string file, long position, long length)
    {
        byte[] bytes = new byte[length];
        return _disk.Read(file, position + LogFormat.RecordHeaderBytes, bytes) == length ? bytes : throw new EndOfStreamException();
    }
}
