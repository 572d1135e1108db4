namespace DistTrain.Numerics.Kernels;

/// <summary>How a side of a matrix is split over threads. Products along the same side get the same chunks, so that a thread finds in its cache what it wrote there.</summary>
internal readonly struct ChunkSplit
{
    // Chunks begin at multiples of this many rows or columns, so that only the last one has ragged tiles.
    private const int Grain = 32;

    // Where the side is short.
    private const int FineGrain = 8;

    private readonly int _length, _grain;

    /// <param name="length">Rows or columns.</param>
    /// <param name="threads">That may take part.</param>
    /// <param name="perThread">Chunks to claim for each.</param>
    public ChunkSplit(int length, int threads, int perThread)
    {
        _length = length;
        _grain = length >= 2 * Grain * threads ? Grain : FineGrain;
        Count = Math.Min(Grains, perThread * threads);
    }

    /// <summary>Chunks.</summary>
    public int Count { get; }

    private int Grains => (_length + _grain - 1) / _grain;

    /// <summary>The rows or columns of a chunk.</summary>
    public (int First, int End) this[int chunk] =>
        ((int)((long)Grains * chunk / Count) * _grain, Math.Min(_length, (int)((long)Grains * (chunk + 1) / Count) * _grain));
}
