using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace DistTrain.Akka.Clients;

/// <summary>
/// Says in a client's journal folder which run of the cluster it was, and how far it was heard of, while the cluster alone has what the run
/// can be resumed from: nodes keep its log.
/// </summary>
internal sealed class RunMarker : IDisposable
{
    private const string FileName = "cluster-run";
    private const int Bytes = 2 * sizeof(long);

    private readonly string _path;
    private readonly SafeFileHandle _file;

    private RunMarker(string path, long runId)
    {
        (_path, RunId) = (path, runId);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Identity of the run.</summary>
    public long RunId { get; }

    /// <summary>A run's number that no other has.</summary>
    public static long NewRunId() => RandomNumberGenerator.GetInt32(1, int.MaxValue);

    /// <summary>The run that a folder names, and the last step that was heard of; null for none.</summary>
    public static (long RunId, long Step)? Read(string journal)
    {
        string path = Path.Combine(journal, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        byte[] bytes = File.ReadAllBytes(path);
        return bytes.Length == Bytes
            ? (BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(sizeof(long))))
            : null;
    }

    /// <summary>Names a run in a folder, from a step on.</summary>
    public static RunMarker Write(string journal, long runId, long step)
    {
        RunMarker marker = new(Path.Combine(journal, FileName), runId);
        marker.Heard(step);
        return marker;
    }

    /// <summary>A committed step was heard of.</summary>
    public void Heard(long step)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, RunId);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[sizeof(long)..], step);
        RandomAccess.Write(_file, bytes, 0);
    }

    /// <summary>The client has the model now, and the cluster forgets the run.</summary>
    public void Delete()
    {
        Dispose();
        File.Delete(_path);
    }

    public void Dispose() => _file.Dispose();
}
