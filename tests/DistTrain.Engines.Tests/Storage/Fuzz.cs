using System.Buffers.Binary;
using DistTrain.Conformance.Support;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Storage;
using DistTrain.Numerics;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Tests.Storage;

/// <summary>Damages what a run has kept, input by input, and says whatever happens other than a refusal in words or a correct answer.</summary>
internal sealed class Fuzz
{
    private readonly SimulatedDisk _left;
    private readonly RunPlan _plan;
    private readonly string[] _files;
    private readonly long _committed;

    /// <summary>A run that was stopped after its first snapshot; with two copies of each shard a coordinator has taken over before.</summary>
    public Fuzz(int copies)
    {
        RunRequest request = CrashBoundaries.Request(Durability.Step, 1, settings => settings with
        {
            ParameterServer = new ParameterServerSettings(),
            CheckpointEverySteps = 3,
        });
        request = copies == 1 ? request : CrashBoundaries.WithCopies(request);
        SimulatedDisk disk = new() { CrashAt = copies == 1 ? 75 : 110 };
        Observed observed = new();
        try
        {
            CrashBoundaries.Run(request, disk, 0, observed);
        }
        catch (SimulatedCrashException)
        {
            // It had written all that is needed.
        }

        _left = disk.AfterCrash(CrashKind.Process, 1);
        _plan = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        _committed = Journal.LastCommittedStep(_left, CrashBoundaries.Folder) ?? 0;
        string snapshot = Path.Combine(CrashBoundaries.Folder, "step-000000003");
        _files =
        [
            .. _left.Files(CrashBoundaries.Folder).Select(name => Path.Combine(CrashBoundaries.Folder, name)),
            .. _left.Files(snapshot).Select(name => Path.Combine(snapshot, name)),
        ];
    }

    /// <summary>How many inputs were refused, how many were read up to an earlier step as a torn end, and how many gave the last committed step all the
    /// same.</summary>
    public (long Refused, long Torn, long Harmless) Counts { get; private set; }

    /// <summary>Files that are damaged in turn.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>Runs inputs; what must not happen comes back in words.</summary>
    public List<string> Run(long inputs, ulong seed)
    {
        List<string> problems = [];
        for (long input = 0; input < inputs && problems.Count < 10; input++)
        {
            Draw draw = new(seed, (int)input);
            string file = draw.Of(_files);
            SimulatedDisk disk = _left.AfterCrash(CrashKind.Process, 1);
            bool forged = draw.Below(6) == 0;
            disk.Damage(file, bytes => forged ? Forge(draw, bytes) : Change(draw, bytes));
            try
            {
                long? step = Open(disk);
                if (step > _committed && !forged)
                {
                    problems.Add($"input {input}, {file}: step {step} was never committed");
                }

                (long refused, long torn, long harmless) = Counts;
                Counts = step < _committed ? (refused, torn + 1, harmless) : (refused, torn, harmless + 1);
            }
            catch (InvalidInputException refusal) when (refusal.Message.StartsWith(CrashBoundaries.Folder, StringComparison.Ordinal))
            {
                (long refused, long torn, long harmless) = Counts;
                Counts = (refused + 1, torn, harmless);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                problems.Add($"input {input}, {file}: {exception}");
            }
        }

        return problems;
    }

    private long? Open(SimulatedDisk disk)
    {
        long? step = Journal.LastCommittedStep(disk, CrashBoundaries.Folder);
        long? snapshot = SnapshotFiles.Newest(CrashBoundaries.Folder, disk)?.Step;
        using BufferPool pool = new();
        if (snapshot is long there)
        {
            foreach (SlicePlan slice in _plan.Slices)
            {
                new SnapshotFiles(CrashBoundaries.Folder, _plan, disk).TryRead(new RestoreJob(slice, 1) { Step = there }, pool);
            }
        }

        LogReader found = LogReader.Read(disk, CrashBoundaries.Folder);
        using RunLog? log = RunLog.Open(disk, CrashBoundaries.Folder, _plan, found, step > (snapshot ?? 0) ? snapshot ?? 0 : null, _ => { });
        foreach (SlicePlan slice in _plan.Slices.Where(_ => step > (snapshot ?? 0)))
        {
            foreach (LogEntry entry in log!.UpdatesOf(slice.Index, snapshot ?? 0, step!.Value))
            {
                log.Read(entry, pool);
            }
        }

        return step;
    }

    private static byte[] Change(Draw draw, byte[] bytes)
    {
        switch (draw.Below(5))
        {
            case 0:
                for (int flips = draw.From(1, 8); flips > 0 && bytes.Length > 0; flips--)
                {
                    bytes[draw.Below(bytes.Length)] ^= (byte)(1 << draw.Below(8));
                }

                return bytes;
            case 1:
                return bytes[..draw.Below(bytes.Length)];
            case 2:
                int from = draw.Below(bytes.Length), count = draw.Below(bytes.Length - from);
                return [.. bytes[..from], .. bytes[(from + count)..]];
            case 3:
                int at = draw.Below(bytes.Length);
                return [.. bytes[..at], .. Enumerable.Range(0, draw.From(1, 64)).Select(_ => (byte)draw.Below(256)), .. bytes[at..]];
            default:
                return [.. Enumerable.Range(0, draw.Below(300)).Select(_ => (byte)draw.Below(256))];
        }
    }

    /// <summary>Changes a record and makes its checksums right again, so that what it says is believed.</summary>
    private static byte[] Forge(Draw draw, byte[] bytes)
    {
        List<int> records = [];
        for (int at = LogFormat.SegmentHeaderBytes; at + LogFormat.RecordHeaderBytes <= bytes.Length; at += LogFormat.Alignment)
        {
            if (LogFormat.TryReadRecordHeader(bytes.AsSpan(at), out LogRecordHeader header) && at + LogFormat.RecordHeaderBytes + header.Length <= bytes.Length)
            {
                records.Add(at);
            }
        }

        if (records.Count == 0)
        {
            return bytes[..^1];
        }

        int record = draw.Of(records);
        LogFormat.TryReadRecordHeader(bytes.AsSpan(record), out LogRecordHeader old);
        Span<byte> payload = bytes.AsSpan(record + LogFormat.RecordHeaderBytes, (int)old.Length);
        int place = draw.Below(Math.Min(payload.Length - 3, 160));
        BinaryPrimitives.WriteInt32LittleEndian(payload[place..], draw.Below(3) switch { 0 => -1, 1 => int.MaxValue, _ => draw.Below(1 << 20) });
        LogFormat.WriteRecordHeader(bytes.AsSpan(record), old.Kind, old.Length, old.Safe, Crc32C.Of(payload));
        return bytes;
    }
}
