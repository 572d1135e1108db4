using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Writes records on a thread of its own and syncs once for all that came meanwhile: where several shards' records meet, they share one sync, and no compute
/// thread waits for the disk.
/// </summary>
internal sealed class GroupCommit : IDisposable
{
    private readonly RunStorage _storage;
    private readonly BufferPool _pool;
    private readonly Action<Exception> _onFailure;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _some = new(0);
    private readonly Thread _thread;
    private List<(ActorCell Cell, int Life, PersistRecord Record)> _waiting = [], _writing = [];
    private bool _over;

    public GroupCommit(RunStorage storage, BufferPool pool, Action<Exception> onFailure)
    {
        (_storage, _pool, _onFailure) = (storage, pool, onFailure);
        _thread = new Thread(Write) { IsBackground = true, Name = "group commit" };
        _thread.Start();
    }

    /// <summary>Has a record written; the cell hears when it is safe.</summary>
    public void Add(ActorCell cell, int life, PersistRecord record)
    {
        lock (_lock)
        {
            if (!_over)
            {
                _waiting.Add((cell, life, record));
                if (_waiting.Count == 1)
                {
                    _some.Release();
                }

                return;
            }
        }

        RunStorage.Release(record, _pool);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_over)
            {
                return;
            }

            _over = true;
        }

        _some.Release();
        _thread.Join();
        foreach ((_, _, PersistRecord record) in _waiting)
        {
            RunStorage.Release(record, _pool);
        }

        _some.Dispose();
    }

    private void Write()
    {
        while (true)
        {
            _some.Wait();
            lock (_lock)
            {
                if (_over)
                {
                    return;
                }

                (_waiting, _writing) = (_writing, _waiting);
            }

            try
            {
                WriteTogether();
            }
            catch (Exception exception)
            {
                _onFailure(exception);
                return;
            }
        }
    }

    private void WriteTogether()
    {
        string? problem = null;
        try
        {
            foreach ((_, _, PersistRecord record) in _writing)
            {
                _storage.Write(record);
            }

            _storage.Sync();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // None of them counts as kept: what a failed sync has left on the disk nobody knows.
            problem = exception.Message;
        }

        foreach ((ActorCell cell, int life, PersistRecord record) in _writing)
        {
            RunStorage.Release(record, _pool);
            cell.OnPersisted(life, record, problem);
        }

        _writing.Clear();
    }
}
