namespace DistTrain.Commands.Runs;

/// <summary>Small files as they were, so that what is refused halfway leaves no trace in them.</summary>
internal sealed class KeptFiles
{
    private readonly List<(string Path, byte[]? Bytes)> _files = [];

    private KeptFiles()
    {
    }

    /// <summary>Reads files; one that does not exist is kept as missing.</summary>
    public static KeptFiles Of(params ReadOnlySpan<string> paths)
    {
        KeptFiles kept = new();
        foreach (string path in paths)
        {
            kept._files.Add((path, File.Exists(path) ? File.ReadAllBytes(path) : null));
        }

        return kept;
    }

    /// <summary>Makes the files what they were.</summary>
    public void PutBack()
    {
        foreach ((string path, byte[]? bytes) in _files)
        {
            if (bytes is null)
            {
                File.Delete(path);
            }
            else if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
            {
                RunFolder.WriteWhole(path, bytes);
            }
        }
    }
}
