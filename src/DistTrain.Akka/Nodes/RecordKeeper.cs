using DistTrain.Engines.Shared;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Nodes;

/// <summary>Keeps actors' records in a folder of this node, and tells the actors when they are kept.</summary>
/// <param name="storage">Snapshots and log.</param>
/// <param name="pool">The records' buffers.</param>
/// <param name="onFailure">Hears of an exception that the disk does not explain.</param>
internal sealed class RecordKeeper(RunStorage storage, BufferPool pool, Action<Exception> onFailure) : IDisposable
{
    private readonly GroupCommit? _commits = storage.Syncs ? new GroupCommit(storage, pool, onFailure) : null;

    /// <summary>Snapshots and log.</summary>
    public RunStorage Storage => storage;

    /// <summary>Keeps a record; its buffers' references are this keeper's now.</summary>
    public void Keep(ActorCell cell, int life, PersistRecord record)
    {
        if (_commits is not null)
        {
            _commits.Add(cell, life, record);
            return;
        }

        string? problem = null;
        try
        {
            storage.Write(record);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            problem = refused.Message;
        }

        RunStorage.Release(record, pool);
        cell.OnPersisted(life, record, problem);
    }

    public void Dispose()
    {
        _commits?.Dispose();
        storage.Dispose();
    }
}
