using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DistTrain.Engines.Storage;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// Every event of a simulated run, a line each: nanoseconds, actor, what, then what there is to say of it. A file for each start of a run, named by the step
/// that it went on from: <c>events-from-000000000.log</c>.
/// </summary>
internal sealed class EventJournal(IDisk disk, string folder, long fromStep) : IDisposable
{
    private const int BufferBytes = 1 << 16;
    private readonly StreamWriter _writer = Open(disk, folder, fromStep);

    /// <summary>Writes a line.</summary>
    public void Write(long now, string actor, string what, string subject = "")
    {
        _writer.Write(now.ToString(CultureInfo.InvariantCulture));
        _writer.Write(' ');
        _writer.Write(actor);
        _writer.Write(' ');
        _writer.Write(what);
        if (subject.Length > 0)
        {
            _writer.Write(' ');
            _writer.Write(subject);
        }

        _writer.Write('\n');
    }

    /// <summary>The first 64 bits of a frame's SHA-256: enough to tell two apart.</summary>
    public static string HashOf(ReadOnlySpan<byte> frame)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(frame, hash);
        return Convert.ToHexStringLower(hash[..sizeof(ulong)]);
    }

    public void Dispose() => _writer.Dispose();

    private static StreamWriter Open(IDisk disk, string folder, long fromStep)
    {
        disk.CreateFolder(folder);
        string file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"events-from-{fromStep:D9}.log"));
        return new StreamWriter(new DiskStream(disk.Create(file)), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), BufferBytes);
    }
}
