using System.Buffers.Binary;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Storage;

/// <summary>Kinds of records in the log.</summary>
internal enum LogRecordKind
{
    /// <summary>Updates of a shard's slices, and the step that they make it ready for.</summary>
    Prepared = 1,

    /// <summary>A committed step.</summary>
    Committed = 2,

    /// <summary>An epoch, its members, and the view of the shards' copies.</summary>
    Membership = 3,

    /// <summary>An epoch below which no copy of a shard listens any more.</summary>
    Promise = 4,
}

/// <summary>
/// The log's bytes, all little-endian. A segment begins with magic, version, the run's fingerprint, its number and a checksum. A record is 32 bytes (magic, kind,
/// length, how much of the file was safe when it was written, checksum of the payload, checksum of this header), the payload, and zeros up to a multiple of 8.
/// </summary>
internal static class LogFormat
{
    public const int Version = 2;
    public const int SegmentHeaderBytes = 40;
    public const int RecordHeaderBytes = 32;
    public const int Alignment = 8;
    private const uint RecordMagic = 0x43525444;

    /// <summary>The first bytes of a segment.</summary>
    public static ReadOnlySpan<byte> SegmentMagic => "DTRNLOG\n"u8;

    public static byte[] SegmentHeader(ulong fingerprint, long number)
    {
        byte[] header = new byte[SegmentHeaderBytes];
        SegmentMagic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(16), fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), number);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(32), Crc32C.Of(header.AsSpan(0, 32)));
        return header;
    }

    /// <summary>What is wrong with a segment's header; null when nothing is.</summary>
    public static string? SegmentProblem(ReadOnlySpan<byte> header, out ulong fingerprint)
    {
        fingerprint = 0;
        if (header.Length < SegmentHeaderBytes || !header.StartsWith(SegmentMagic))
        {
            return "this is no segment of a log; expected one that a run has written";
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(header[32..]) != Crc32C.Of(header[..32]))
        {
            return "the segment's header does not match its checksum; expected it unchanged";
        }

        int version = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        fingerprint = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
        return version == Version ? null : $"the log has version {version}; expected {Version}";
    }

    public static void WriteRecordHeader(Span<byte> header, LogRecordKind kind, long length, long safe, uint payloadChecksum)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, RecordMagic);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], (int)kind);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], length);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], safe);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], payloadChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(header[28..], Crc32C.Of(header[..28]));
    }

    /// <summary>Whether a record's header may stand here; its payload is not looked at.</summary>
    public static bool TryReadRecordHeader(ReadOnlySpan<byte> header, out LogRecordHeader record)
    {
        record = default;
        if (header.Length < RecordHeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(header) != RecordMagic
            || BinaryPrimitives.ReadUInt32LittleEndian(header[28..]) != Crc32C.Of(header[..28]))
        {
            return false;
        }

        record = new LogRecordHeader(
            (LogRecordKind)BinaryPrimitives.ReadInt32LittleEndian(header[4..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[24..]));
        return record.Length >= 0;
    }

    /// <summary>Zeros after a payload.</summary>
    public static int Padding(long payload) => (int)(-payload & (Alignment - 1));

    public static byte[] Committed(CommittedRecord record)
    {
        CoordinatorProgress progress = record.Progress;
        using MemoryStream bytes = new();
        using BinaryWriter writer = new(bytes);
        writer.Write(record.Step);
        writer.Write(record.Epoch);
        writer.Write(progress.RateFactor);
        writer.Write(progress.BestLoss is not null);
        writer.Write(progress.BestLoss ?? 0);
        writer.Write(progress.EvaluationsSinceBest);
        writer.Write(progress.EvaluationsSinceReduction);
        writer.Write(progress.EpochLossSum);
        writer.Write(progress.EpochCorrect);
        writer.Write(progress.EpochRows);
        return bytes.ToArray();
    }

    public static CommittedRecord ReadCommitted(byte[] payload)
    {
        using BinaryReader reader = new(new MemoryStream(payload));
        long step = reader.ReadInt64();
        int epoch = reader.ReadInt32();
        double factor = reader.ReadDouble();
        bool hasBest = reader.ReadBoolean();
        double best = reader.ReadDouble();
        return new CommittedRecord(step, epoch, new CoordinatorProgress
        {
            Step = step,
            RateFactor = factor,
            BestLoss = hasBest ? best : null,
            EvaluationsSinceBest = reader.ReadInt32(),
            EvaluationsSinceReduction = reader.ReadInt32(),
            EpochLossSum = reader.ReadDouble(),
            EpochCorrect = reader.ReadInt64(),
            EpochRows = reader.ReadInt64(),
        });
    }

    public static byte[] Membership(MembershipRecord record)
    {
        using MemoryStream bytes = new();
        using BinaryWriter writer = new(bytes);
        writer.Write(record.Epoch);
        Write(writer, record.Incarnations);
        Write(writer, record.Copies);
        return bytes.ToArray();
    }

    public static MembershipRecord ReadMembership(byte[] payload)
    {
        using BinaryReader reader = new(new MemoryStream(payload));
        int epoch = reader.ReadInt32();
        return new MembershipRecord(epoch, Integers(reader)) { Copies = Integers(reader) };
    }

    public static byte[] Promise(int epoch) => BitConverter.GetBytes(epoch);

    public static int ReadPromise(byte[] payload) => payload.Length == sizeof(int) ? BitConverter.ToInt32(payload) : throw new EndOfStreamException();

    /// <summary>What a prepared record says of its updates; their buffers follow it in the payload. Begins with its own length.</summary>
    public static byte[] Prepared(PreparedRecord record, IReadOnlyList<LogEntry> entries)
    {
        using MemoryStream bytes = new();
        using BinaryWriter writer = new(bytes);
        writer.Write(0);
        writer.Write(record.Step);
        writer.Write(record.Shard);
        writer.Write(record.Epoch);
        writer.Write(entries.Count);
        foreach (LogEntry entry in entries)
        {
            writer.Write(entry.Slice);
            writer.Write(entry.Step);
            writer.Write(entry.Replica);
            writer.Write(entry.Update);
            writer.Write(entry.LearningRate);
            writer.Write(entry.GradientScale);
            writer.Write(entry.ChosenReplica);
            Write(writer, entry.Gradients);
            Write(writer, entry.Carried);
        }

        writer.Flush();
        bytes.Position = 0;
        writer.Write((int)bytes.Length);
        return bytes.ToArray();
    }

    public static List<LogEntry> ReadPrepared(byte[] description)
    {
        using BinaryReader reader = new(new MemoryStream(description));
        reader.BaseStream.Position = sizeof(int) + sizeof(long) + sizeof(int) + sizeof(int);
        List<LogEntry> entries = [];
        for (int left = Count(reader, sizeof(long)); left > 0; left--)
        {
            entries.Add(new LogEntry(
                reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadInt32(),
                Lengths(reader), Lengths(reader)));
        }

        return entries;
    }

    private static void Write(BinaryWriter writer, int[] values)
    {
        writer.Write(values.Length);
        foreach (int value in values)
        {
            writer.Write(value);
        }
    }

    private static int[] Integers(BinaryReader reader)
    {
        int[] values = new int[Count(reader, sizeof(int))];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = reader.ReadInt32();
        }

        return values;
    }

    private static void Write(BinaryWriter writer, long[] lengths)
    {
        writer.Write(lengths.Length);
        foreach (long length in lengths)
        {
            writer.Write(length);
        }
    }

    private static long[] Lengths(BinaryReader reader)
    {
        long[] lengths = new long[Count(reader, sizeof(long))];
        for (int i = 0; i < lengths.Length; i++)
        {
            lengths[i] = reader.ReadInt64();
            if (lengths[i] is < LogEntry.None or > int.MaxValue)
            {
                throw new EndOfStreamException();
            }
        }

        return lengths;
    }

    /// <summary>A number of things, which cannot be more than there are bytes for: nothing is allocated on the word of a damaged file.</summary>
    private static int Count(BinaryReader reader, int bytesEach)
    {
        int count = reader.ReadInt32();
        return count >= 0 && (long)count * bytesEach <= reader.BaseStream.Length - reader.BaseStream.Position ? count : throw new EndOfStreamException();
    }
}

/// <summary>A record's header.</summary>
internal readonly record struct LogRecordHeader(LogRecordKind Kind, long Length, long Safe, uint Checksum);
