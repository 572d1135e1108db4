namespace DistTrain.Numerics.Kernels;

/// <summary>Work that falls into chunks which may run in any order and on any thread; each chunk writes memory of its
/// own.</summary>
public interface IChunkedWork
{
    /// <summary>Runs chunk <paramref name="chunk"/>, from 0.</summary>
    void RunChunk(int chunk);
}

/// <summary>
/// Runs chunked work with whatever helpers are idle. The caller takes part and claims chunks that nobody started, so work
/// always finishes, with or without help. How chunks are spread never changes a result.
/// </summary>
public interface IForkJoin
{
    /// <summary>How many threads could take part, the caller included; at least 1.</summary>
    int Width { get; }

    /// <summary>Runs chunks 0 … <paramref name="chunks"/>−1 and returns when all are done.</summary>
    void Run(IChunkedWork work, int chunks);
}

/// <summary>Runs every chunk on the calling thread, in order.</summary>
public sealed class SerialForkJoin : IForkJoin
{
    /// <summary>The one instance.</summary>
    public static SerialForkJoin Instance { get; } = new();

    /// <inheritdoc/>
    public int Width => 1;

    /// <inheritdoc/>
    public void Run(IChunkedWork work, int chunks)
    {
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            work.RunChunk(chunk);
        }
    }
}
