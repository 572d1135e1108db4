using DistTrain.Engines.Shared;
using DistTrain.Numerics;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Storage;

/// <summary>
/// The write-ahead log of a run: what makes each step's versions again, and what is committed. It holds contributions, not values: with one replica these are one
/// value a parameter where momentum has two and Adam three; a compressed contribution is shorter still, and under front contribution it is a batch's rows where
/// the values are every row's. A segment is written from one snapshot to the next; once a snapshot is complete, segments that say nothing later are deleted.
/// Thread-safe.
/// </summary>
internal sealed class RunLog : IDisposable
{
    private readonly Lock _lock = new();
    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly RunPlan _plan;
    private readonly List<string> _segments;
    private readonly LogIndex _index;
    private readonly LogPart? _part;
    private readonly bool _syncs;
    private IDiskFile? _file;
    private string _path = "";
    private string? _broken;
    private long _number, _synced;

    private RunLog(IDisk disk, string folder, RunPlan plan, LogReader found, LogPart? part)
    {
        (_disk, _folder, _plan, _index, _part) = (disk, folder, plan, found.Index, part);
        (_segments, _number) = ([.. found.Segments], found.LastNumber);
        _syncs = plan.Settings.Durability == Durability.Power;
    }

    /// <summary>What was known at the last step that the log commits; null for none.</summary>
    public CoordinatorProgress? Committed => Locked(() => _index.Committed);

    /// <summary>The newest membership, with the highest epoch that anybody may have heard of; null for none.</summary>
    public MembershipRecord? Membership => Locked(() => _index.Before);

    /// <summary>Whether records are written, and not only read.</summary>
    public bool Writes { get; private init; }

    /// <summary>Whether a record is kept only once it is synced.</summary>
    public bool Syncs => _syncs;

    /// <summary>
    /// Goes on with the log that was found: cuts off a torn end, deletes what is not needed, and begins a segment where the run keeps a log. Null where there is
    /// none and none is to be kept. Throws <see cref="InvalidInputException"/> when the log is needed and belongs to other settings.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="folder">The journal folder.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="found">What is there.</param>
    /// <param name="neededAfter">The step of the snapshot that the log is needed to go on from; null where it is not needed.</param>
    /// <param name="notice">Hears what was cut off.</param>
    /// <param name="part">What this process has of a log that several keep; null where it keeps the whole log.</param>
    /// <param name="writes">Whether this process will append to it, where the run keeps one.</param>
    public static RunLog? Open(
        IDisk disk, string folder, RunPlan plan, LogReader found, long? neededAfter, Action<string> notice, LogPart? part = null, bool writes = true)
    {
        writes &= plan.KeepsLog;
        if (!writes && found.Segments.Count == 0)
        {
            return null;
        }

        if (neededAfter is not null && found.Fingerprint is ulong written && written != RunFingerprint.Of(plan))
        {
            throw new InvalidInputException(
                $"{found.Segments[^1]}: the log is of a run with other stages, shards, replicas, batch size, micro-batches, clipping, method, optimizer or parameter-server settings, or by another version; expected those that it was written with");
        }

        disk.CreateFolder(folder);
        RunLog log = new(disk, folder, plan, found, part) { Writes = writes };
        log.CutTorn(found, notice);
        if (writes)
        {
            log.BeginSegment();
        }

        log.DeleteThrough(neededAfter ?? long.MaxValue);

        return log;
    }

    /// <summary>Writes a record at the end. Throws <see cref="IOException"/>; from then on nothing more is written, for what follows a torn record is lost.</summary>
    public void Append(PersistRecord record, BufferPool pool)
    {
        lock (_lock)
        {
            Guarded(() =>
            {
                Write(record, pool);
                RequireOwn();
            });
        }
    }

    /// <summary>Throws <see cref="IOException"/> when another process has taken this one's place: what this one decided since, nobody has kept.</summary>
    public void RequireOwn()
    {
        if (_part is { Decides: true } && _file is not null && !_disk.Exists(_path))
        {
            throw new IOException($"{_path}: another process has taken this log over; expected to be the only one of its name");
        }
    }

    /// <summary>Makes everything appended so far outlast the loss of power.</summary>
    public void Sync()
    {
        lock (_lock)
        {
            Guarded(SyncFile);
        }
    }

    /// <summary>A snapshot is complete: begins a segment and deletes those that the snapshot stands for.</summary>
    public void OnSnapshot(long step)
    {
        lock (_lock)
        {
            Guarded(() =>
            {
                if (_file is not null)
                {
                    SyncFile();
                    _file.Dispose();
                    _file = null;
                    BeginSegment();
                }

                DeleteThrough(step);
            });
        }
    }

    /// <summary>
    /// A slice's updates between two steps, in the order of their making; in asynchronous modes all that there are. Throws <see cref="InvalidInputException"/> when
    /// one is missing.
    /// </summary>
    public IReadOnlyList<LogEntry> UpdatesOf(int slice, long after, long through)
    {
        lock (_lock)
        {
            if (_plan.Asynchronous)
            {
                return [.. _index.UpdatesOf(slice)];
            }

            LogEntry[] entries = [.. _index.UpdatesOf(slice).Where(entry => entry.Step > after && entry.Step <= through)];
            for (long step = after + 1; step <= through; step++)
            {
                if (step - after > entries.Length || entries[step - after - 1].Step != step)
                {
                    throw new InvalidInputException($"{_folder}: the log has no update of slice {slice} for step {step}; expected all from {after + 1} to {through}");
                }
            }

            return entries;
        }
    }

    /// <summary>Reads an update with its buffers, each of which carries one reference for the caller.</summary>
    public AppliedUpdate Read(LogEntry entry, BufferPool pool)
    {
        int contributions = _plan.Asynchronous ? 1 : _plan.Settings.Replicas, carried = _plan.Settings.Replicas * _plan.Slices[entry.Slice].CarriedCount;
        if (entry.Gradients.Length != contributions || entry.Carried.Length != carried || entry.Replica >= _plan.Settings.Replicas)
        {
            throw new InvalidInputException($"{entry.File}: offset {entry.Position}: an update of {entry.Gradients.Length} contributions; expected {contributions}");
        }

        AppliedUpdate update = new(entry.Slice, contributions, carried)
        {
            Step = entry.Step,
            Replica = entry.Replica,
            Update = entry.Update,
            LearningRate = entry.LearningRate,
            GradientScale = entry.GradientScale,
            ChosenReplica = entry.ChosenReplica,
        };
        long position = entry.Position;
        ReadInto(entry, entry.Gradients, update.Gradients, pool, ref position);
        ReadInto(entry, entry.Carried, update.Carried, pool, ref position);
        return update;
    }

    public void Dispose() => _file?.Dispose();

    private void ReadInto(LogEntry entry, long[] lengths, BufferHandle[] buffers, BufferPool pool, ref long position)
    {
        for (int i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] == LogEntry.None)
            {
                continue;
            }

            buffers[i] = pool.Rent(lengths[i]);
            if (_disk.Read(entry.File, position, pool.Bytes(buffers[i])) < lengths[i])
            {
                throw new InvalidInputException($"{entry.File}: offset {position}: the file ends before an update does; expected the log as it was written");
            }

            position += lengths[i];
        }
    }

    private void CutTorn(LogReader found, Action<string> notice)
    {
        foreach ((string file, long whole, long length) in found.Torn)
        {
            if (whole == 0)
            {
                // Were it back after the loss of power, a segment that follows it would make it damage.
                _disk.Delete(file);
                _disk.SyncFolder(_folder);
                _segments.Remove(file);
            }
            else
            {
                _disk.Cut(file, whole);
            }

            notice(length == 0
                ? $"{Path.GetFileName(file)}: is empty and is left out; steps that were in it are computed again"
                : $"{Path.GetFileName(file)}: its last {length - whole} bytes were torn by a crash and are cut off; nothing in them was committed");
        }
    }

    private void BeginSegment()
    {
        _number++;
        string[] before = _part is { Decides: true } ? [.. _segments.Where(IsOfThisWriter)] : [];
        _path = Path.Combine(_folder, new LogSegment(_number, _part?.Writer ?? "").FileName);
        _file = _disk.Create(_path);
        _synced = 0;
        _segments.Add(_path);
        _file.Append(LogFormat.SegmentHeader(RunFingerprint.Of(_plan), _number));
        if (_index.Membership is MembershipRecord membership)
        {
            WriteRecord(LogRecordKind.Membership, LogFormat.Membership(membership), [], null);
            if (_part is { Decides: true } && _index.Committed is CoordinatorProgress committed)
            {
                WriteRecord(LogRecordKind.Committed, LogFormat.Committed(new CommittedRecord(committed.Step, membership.Epoch, committed)), [], null);
                _index.Add(new CommittedRecord(committed.Step, membership.Epoch, committed), _path);
            }
        }

        if (_index.Promised > 0)
        {
            WriteRecord(LogRecordKind.Promise, LogFormat.Promise(_index.Promised), [], null);
        }

        if (_syncs)
        {
            SyncFile();
            _disk.SyncFolder(_folder);
        }

        foreach (string segment in before)
        {
            DeleteSegment(segment);
        }
    }

    private bool IsOfThisWriter(string file) => LogSegment.Of(Path.GetFileName(file))?.Writer == (_part?.Writer ?? "");

    private void DeleteSegment(string segment)
    {
        _disk.Delete(segment);
        _index.Forget(segment);
        _segments.Remove(segment);
    }

    private void DeleteThrough(long step)
    {
        foreach (string segment in _segments.Where(segment => segment != _path && _index.LastStepIn(segment) <= step).ToArray())
        {
            DeleteSegment(segment);
        }
    }

    private void SyncFile()
    {
        if (_syncs && _file is not null && _synced < _file.Length)
        {
            long length = _file.Length;
            _file.Sync();
            _synced = length;
        }
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }

    private void Guarded(Action write)
    {
        if (_broken is not null)
        {
            throw new IOException(_broken);
        }

        try
        {
            write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _broken = exception.Message;
            throw;
        }
    }

    private void Write(PersistRecord record, BufferPool pool)
    {
        switch (record)
        {
            case PreparedRecord prepared:
                AppliedUpdate[] updates = [.. prepared.Updates.Where(update => !IsLogged(update, prepared.Epoch))];
                if (updates.Length == 0 && prepared.Updates.Count > 0)
                {
                    break;
                }

                LogEntry[] entries = [.. updates.Select(update => LogEntry.Of(update, pool) with { Epoch = prepared.Epoch })];
                byte[] description = LogFormat.Prepared(prepared, entries);
                long position = WriteRecord(LogRecordKind.Prepared, description, updates, pool);
                foreach (LogEntry entry in entries)
                {
                    _index.Add(entry with { File = _path, Position = position });
                    position += entry.Bytes;
                }

                break;
            case CommittedRecord committed:
                WriteRecord(LogRecordKind.Committed, LogFormat.Committed(committed), [], null);
                _index.Add(committed, _path);
                break;
            case MembershipRecord membership:
                WriteRecord(LogRecordKind.Membership, LogFormat.Membership(membership), [], null);
                _index.Add(membership);
                break;
            case PromiseRecord promise when promise.Epoch > _index.Promised:
                // Copies that keep themselves on the same disk make the same promise.
                WriteRecord(LogRecordKind.Promise, LogFormat.Promise(promise.Epoch), [], null);
                _index.AddPromise(promise.Epoch);
                break;
        }
    }

    /// <summary>Whether another copy of the shard, which keeps itself on the same disk, has logged an update: it has the same bits.</summary>
    private bool IsLogged(AppliedUpdate update, int epoch) =>
        _plan.Topology.Copies > 1
        && _index.UpdatesOf(update.Slice).Any(entry => entry.Step == update.Step && (_plan.Method.Synchronous || entry.Epoch == epoch));

    /// <summary>Writes a record; the position of what follows its description.</summary>
    private long WriteRecord(LogRecordKind kind, byte[] description, IReadOnlyList<AppliedUpdate> updates, BufferPool? pool)
    {
        long length = description.Length;
        uint crc = Crc32C.Add(Crc32C.Start, description);
        foreach (BufferHandle buffer in BuffersOf(updates))
        {
            crc = Crc32C.Add(crc, pool!.Bytes(buffer));
            length += pool.Length(buffer);
        }

        byte[] start = new byte[LogFormat.RecordHeaderBytes + description.Length];
        LogFormat.WriteRecordHeader(start, kind, length, _syncs ? _synced : _file!.Length, Crc32C.End(crc));
        description.CopyTo(start, LogFormat.RecordHeaderBytes);
        _file!.Append(start);
        long position = _file.Length;
        foreach (BufferHandle buffer in BuffersOf(updates))
        {
            _file.Append(pool!.Bytes(buffer));
        }

        if (LogFormat.Padding(length) is > 0 and int padding)
        {
            _file.Append(new byte[padding]);
        }

        return position;
    }

    private static IEnumerable<BufferHandle> BuffersOf(IReadOnlyList<AppliedUpdate> updates) =>
        updates.SelectMany(update => update.Gradients.Concat(update.Carried)).Where(buffer => !buffer.IsNone);
}
