using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using DistTrain.Data;
using DistTrain.Engines.Storage;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Snapshots in a journal folder: <c>step-000000200/slice-000.safetensors</c> … and <c>coordinator.json</c>, which is
/// written last and makes the snapshot
/// exist. Tensors are named by parameter, not by slice, so a run may be resumed with other stages and shards.
/// </summary>
internal sealed partial class SnapshotFiles(string folder, RunPlan plan, IDisk? disk = null)
{
    /// <summary>What the name of a snapshot's folder begins with.</summary>
    public const string StepPrefix = "step-";

    private const string CoordinatorFile = "coordinator.json";
    private const string UpdatesKey = "updates";
    private const string AppliedKey = "applied-steps";
    private const string ChecksumKey = "crc32c";

    // The progress is JSON, and its checksum a comment after it.
    private const string ChecksumPrefix = "\n// crc32c ";
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        ReadCommentHandling = JsonCommentHandling.Skip,
    };

    private readonly Lock _lock = new();
    private readonly IDisk _disk = disk ?? FileDisk.Instance;
    private readonly int _stateCount = new Optimizer<float>(plan.Settings.Optimizer).StateCount;
    private long _loadedStep = -1;
    private Dictionary<string, SafetensorsTensor> _loaded = [];
    private Dictionary<string, IReadOnlyDictionary<string, string>> _loadedMetadata = [];

    /// <summary>The folder of a step's snapshot.</summary>
    public static string FolderOf(string journal, long step) => Path.Combine(journal, FolderName(step));

    /// <summary>The newest complete snapshot in a folder; null when there is none.</summary>
    public static CoordinatorProgress? Newest(string folder, IDisk? disk = null)
    {
        disk ??= FileDisk.Instance;
        string? newest = Complete(disk, folder).LastOrDefault();
        if (newest is null)
        {
            return null;
        }

        return ReadProgress(disk, folder, newest);
    }

    /// <summary>The newest complete snapshot's step that is not above the given one; null when there is none.</summary>
    public long? NewestUpTo(long step)
    {
        string? newest = Complete(_disk, folder).LastOrDefault(name => string.CompareOrdinal(name, FolderName(step)) <= 0);
        return newest is null ? null : ReadProgress(_disk, folder, newest).Step;
    }

    /// <summary>Writes a slice's part.</summary>
    public void Write(KeptSlice slice, BufferPool pool)
    {
        string path = MakeFolder(slice.Step);
        Dictionary<string, string> metadata = new(StringComparer.Ordinal)
        {
            [UpdatesKey] = slice.Updates.ToString(CultureInfo.InvariantCulture),
            [AppliedKey] = string.Join(',', slice.AppliedSteps),
        };
        SortedDictionary<string, (BufferHandle Buffer, int Start, int Length)> places = new(StringComparer.Ordinal);
        List<SafetensorsEntry> entries = [];
        SlicePlan sliceOf = plan.Slices[slice.Slice];
        for (int position = 0; position < slice.Buffers.Length; position++)
        {
            SnapshotPart part = SnapshotPart.At(plan, sliceOf, position);
            BufferHandle buffer = slice.Buffers[position];
            if (buffer.IsNone)
            {
                continue;
            }

            if (part.Kind == SnapshotPartKind.Carried)
            {
                int bytes = (int)pool.Length(buffer);
                places[part.NameOf(sliceOf)] = (buffer, 0, bytes);
                entries.Add(new SafetensorsEntry(part.NameOf(sliceOf), DType, [bytes / ValueBytes]));
                continue;
            }

            int offset = 0;
            foreach (ParameterSpec parameter in sliceOf.Parameters)
            {
                string name = part.NameOf(parameter);
                int length = LengthOf(part, parameter);
                places[name] = (buffer, offset * ValueBytes, length * ValueBytes);
                entries.Add(new SafetensorsEntry(name, DType, ShapeOf(part, parameter)));
                offset += length;
            }
        }

        ReadOnlySpan<byte> BytesOf(string name) => pool.Bytes(places[name].Buffer).Slice(places[name].Start, places[name].Length);
        uint crc = Crc32C.Start;
        foreach (string name in places.Keys)
        {
            crc = Crc32C.Add(crc, BytesOf(name));
        }

        metadata[ChecksumKey] = ChecksumText(Crc32C.End(crc));
        _disk.WriteWhole(Path.Combine(path, $"slice-{slice.Slice:D3}.safetensors"), stream => SafetensorsFile.Write(stream, entries, BytesOf, metadata));
    }

    /// <summary>
    /// Writes the coordinator's part, which makes the snapshot exist. Of the others the one before is kept; older ones go,
    /// and so do later ones, which belong to a run that was given up. Where there is a log no run goes back, and a later one is of a coordinator
    /// that took this one's place.
    /// </summary>
    public void Complete(CoordinatorProgress progress)
    {
        string name = FolderName(progress.Step);
        _disk.WriteWhole(Path.Combine(MakeFolder(progress.Step), CoordinatorFile), stream =>
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(progress, Json);
            stream.Write(json);
            stream.Write(Encoding.ASCII.GetBytes(ChecksumPrefix + ChecksumText(Crc32C.Of(json)) + "\n"));
        });
        // The name of the new one has to be on the disk before an older one goes.
        _disk.SyncFolder(folder);
        string[] others = [.. Steps(_disk, folder).Where(other => other != name)];
        string? before = others.LastOrDefault(other => string.CompareOrdinal(other, name) < 0);
        foreach (string other in others.Where(other => other != before && !(plan.KeepsLog && string.CompareOrdinal(other, name) > 0)))
        {
            Delete(Path.Combine(folder, other));
        }
    }

    /// <summary>Deletes every snapshot, where a run begins anew in the folder of another.</summary>
    public void DeleteAll()
    {
        foreach (string name in Steps(_disk, folder).ToList())
        {
            Delete(Path.Combine(folder, name));
        }
    }

    private static IEnumerable<string> Steps(IDisk disk, string folder) =>
        disk.Folders(folder).Where(name => name.StartsWith(StepPrefix, StringComparison.Ordinal));

    private static IEnumerable<string> Complete(IDisk disk, string folder) =>
        Steps(disk, folder).Where(name => disk.Exists(Path.Combine(folder, name, CoordinatorFile)));

    private string MakeFolder(long step)
    {
        string path = FolderOf(step);
        _disk.CreateFolder(path);
        return path;
    }

    /// <summary>Deletes a snapshot: first what makes it exist, so that no part of it is ever taken for the whole.</summary>
    private void Delete(string path)
    {
        _disk.Delete(Path.Combine(path, CoordinatorFile));
        _disk.SyncFolder(path);
        foreach (string file in _disk.Files(path))
        {
            _disk.Delete(Path.Combine(path, file));
        }

        _disk.DeleteFolder(path);
    }

    /// <summary>Fills a restore job from the files of its step; false when there are none.</summary>
    public bool TryRead(RestoreJob job, BufferPool pool)
    {
        lock (_lock)
        {
            if (!TryLoad(job.Step))
            {
                return false;
            }

            SlicePlan slice = plan.Slices[job.Slice];
            for (int position = 0; position < job.Outputs.Length; position++)
            {
                job.Outputs[position] = ReadPart(SnapshotPart.At(plan, slice, position), slice, pool);
            }

            (string updates, string appliedSteps) = MadeOf(slice);
            job.Updates = long.Parse(updates, CultureInfo.InvariantCulture);
            long[] applied = [.. appliedSteps.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
            for (int replica = 0; replica < job.AppliedSteps.Length; replica++)
            {
                job.AppliedSteps[replica] = replica < applied.Length ? applied[replica] : job.Step;
            }

            return true;
        }
    }

    /// <summary>The updates and contributions that a slice's weights are made of. Slices need not have the same, so they cannot always be laid out in another way.</summary>
    private (string Updates, string AppliedSteps) MadeOf(SlicePlan slice)
    {
        (string Updates, string AppliedSteps)[] known =
        [
            .. slice.Parameters.Select(parameter => _loadedMetadata.GetValueOrDefault(parameter.Name))
                .OfType<IReadOnlyDictionary<string, string>>().Select(file => (file[UpdatesKey], file[AppliedKey])).Distinct(),
        ];
        return known.Length <= 1
            ? known.FirstOrDefault(("0", ""))
            : throw new InvalidInputException(
                $"{folder}: {slice.Parameters[0].Name} and others that are now kept with it have had different updates; expected the stages and shards with which the run was kept");
    }

    private static string ChecksumText(uint checksum) => checksum.ToString("x8", CultureInfo.InvariantCulture);

    private static CoordinatorProgress ReadProgress(IDisk disk, string folder, string step)
    {
        string file = Path.Combine(folder, step, CoordinatorFile);
        byte[] bytes = disk.ReadWhole(file);
        CoordinatorProgress progress;
        try
        {
            progress = JsonSerializer.Deserialize<CoordinatorProgress>(bytes, Json)
                ?? throw new InvalidInputException($"{file}: empty; expected a snapshot's progress");
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            throw new InvalidInputException($"{file}: not a snapshot's progress ({exception.Message})", exception);
        }

        if (step != FolderName(progress.Step))
        {
            throw new InvalidInputException($"{file}: says step {progress.Step}; expected the step of its folder");
        }

        int end = bytes.AsSpan().LastIndexOf(Encoding.ASCII.GetBytes(ChecksumPrefix));
        string expected = end < 0 ? "" : ChecksumText(Crc32C.Of(bytes.AsSpan(0, end)));
        return end >= 0 && Encoding.ASCII.GetString(bytes.AsSpan(end + ChecksumPrefix.Length)) == expected + "\n"
            ? progress
            : throw new InvalidInputException($"{file}: does not match its checksum; expected the file as it was written");
    }

    /// <summary>Values of a tensor in a part: the optimizer's state holds several for each that it updates.</summary>
    private int LengthOf(SnapshotPart part, ParameterSpec parameter) =>
        part.Kind == SnapshotPartKind.OptimizerState ? parameter.StateLength * _stateCount : parameter.Length;

    private int[] ShapeOf(SnapshotPart part, ParameterSpec parameter)
    {
        bool isState = part.Kind == SnapshotPartKind.OptimizerState;
        int columns = isState ? parameter.StateLength / parameter.Rows : parameter.Columns;
        return isState && _stateCount > 1 ? [_stateCount, parameter.Rows, columns] : [parameter.Rows, columns];
    }

    private int ValueBytes => plan.Settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);

    private string DType => plan.Settings.Precision == Precision.Float32 ? "F32" : "F64";

    private static string FolderName(long step) => $"{StepPrefix}{step:D9}";

    private string FolderOf(long step) => Path.Combine(folder, FolderName(step));

    private BufferHandle ReadPart(SnapshotPart part, SlicePlan slice, BufferPool pool)
    {
        if (part.Kind == SnapshotPartKind.Carried)
        {
            return _loaded.TryGetValue(part.NameOf(slice), out SafetensorsTensor? carried) ? Filled([carried], pool) : BufferHandle.None;
        }

        // Not every part is there from the first step on, and expanded weights come at the end.
        List<SafetensorsTensor> tensors = [];
        foreach (ParameterSpec parameter in slice.Parameters)
        {
            if (_loaded.TryGetValue(part.NameOf(parameter), out SafetensorsTensor? tensor))
            {
                tensors.Add(tensor);
            }
        }

        return tensors.Count == slice.Parameters.Count ? Filled(tensors, pool) : BufferHandle.None;
    }

    private static BufferHandle Filled(List<SafetensorsTensor> tensors, BufferPool pool)
    {
        BufferHandle buffer = pool.Rent(tensors.Sum(tensor => (long)tensor.Data.Length));
        Span<byte> rest = pool.Bytes(buffer);
        foreach (SafetensorsTensor tensor in tensors)
        {
            tensor.Data.Span.CopyTo(rest);
            rest = rest[tensor.Data.Length..];
        }

        return buffer;
    }

    /// <summary>Reads all files of a step at once, for slices may be laid out differently now.</summary>
    private bool TryLoad(long step)
    {
        string path = FolderOf(step);
        if (_loadedStep == step)
        {
            return true;
        }

        if (!_disk.Exists(Path.Combine(path, CoordinatorFile)))
        {
            return false;
        }

        try
        {
            ReadSlices(path);
        }
        catch (InvalidInputException damage) when (plan.Settings.Durability == Durability.Memory)
        {
            throw new InvalidInputException($"{damage.Message}; without the folder {path} a resume goes on from the snapshot before it, or from the start", damage);
        }

        RequireWhole(path);
        _loadedStep = step;
        return true;
    }
}
