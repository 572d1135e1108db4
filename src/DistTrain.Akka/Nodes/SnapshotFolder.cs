using System.Globalization;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Nodes;

/// <summary>A run's snapshots on a node's disk, as other nodes and clients ask for them.</summary>
internal sealed class SnapshotFolder(string path)
{
    /// <summary>Bytes of a piece of a file: its frame stays below 64 KiB.</summary>
    public const int PieceBytes = 60 << 10;

    private const string CoordinatorFile = "coordinator.json";
    private const string StepPrefix = SnapshotFiles.StepPrefix, PartPrefix = "slice-", PartSuffix = ".safetensors";

    /// <summary>The folder.</summary>
    public string FullPath => path;

    /// <summary>The newest whole snapshot; null for none.</summary>
    public CoordinatorProgress? Newest => SnapshotFiles.Newest(path);

    /// <summary>The files of a snapshot of so many slices; the one that makes it exist comes last.</summary>
    public static IEnumerable<string> FilesOf(int slices) => Enumerable.Range(0, slices).Select(PartName).Append(CoordinatorFile);

    /// <summary>The step of a snapshot's slice file; null for any other file.</summary>
    public static long? StepOfPart(string file)
    {
        string folder = Path.GetFileName(Path.GetDirectoryName(file)) ?? "";
        return IsPart(Path.GetFileName(file))
            && folder.StartsWith(StepPrefix, StringComparison.Ordinal)
            && long.TryParse(folder.AsSpan(StepPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long step)
            ? step
            : null;
    }

    /// <summary>Where a file of a snapshot is; null for a name that no snapshot has.</summary>
    public string? PlaceOf(long step, string name) =>
        step >= 0 && (name == CoordinatorFile || IsPart(name)) ? Path.Combine(path, $"{StepPrefix}{step:D9}", name) : null;

    /// <summary>Whether every slice's file of a snapshot is here.</summary>
    public bool HasParts(long step, int slices) => Enumerable.Range(0, slices).All(slice => File.Exists(PlaceOf(step, PartName(slice))));

    /// <summary>Whether a snapshot is here whole.</summary>
    public bool IsWhole(long step) => File.Exists(PlaceOf(step, CoordinatorFile));

    /// <summary>A piece of a file; of total −1 when it is not here.</summary>
    public Part Read(FetchPart wanted)
    {
        Part absent = new(wanted.RunId, wanted.Step, wanted.Name, wanted.Offset, -1, []);
        return PlaceOf(wanted.Step, wanted.Name) is string file ? ReadPiece(file, absent) : absent;
    }

    /// <summary>The piece of a file that a part without bytes names; the part as it is when the file is not there.</summary>
    public static Part ReadPiece(string file, Part absent)
    {
        if (absent.Offset < 0)
        {
            return absent;
        }

        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            stream.Position = Math.Min(absent.Offset, stream.Length);
            byte[] piece = new byte[Math.Min(PieceBytes, stream.Length - stream.Position)];
            stream.ReadExactly(piece);
            return absent with { Total = stream.Length, Bytes = piece };
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return absent;
        }
    }

    /// <summary>Deletes everything.</summary>
    public void Delete()
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static string PartName(int slice) => $"{PartPrefix}{slice:D3}{PartSuffix}";

    private static bool IsPart(string name) =>
        name.StartsWith(PartPrefix, StringComparison.Ordinal)
        && name.EndsWith(PartSuffix, StringComparison.Ordinal)
        && name.Length > PartPrefix.Length + PartSuffix.Length
        && name.AsSpan(PartPrefix.Length, name.Length - PartPrefix.Length - PartSuffix.Length).IndexOfAnyExceptInRange('0', '9') < 0;
}
