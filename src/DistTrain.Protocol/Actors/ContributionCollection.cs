using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// What the final-layer actor holds of the rows' contributions. It asks every share for a few tiles at a time and adds the
/// parts in tile and share order.
/// </summary>
internal sealed class ContributionCollection
{
    private const int TilesAhead = 3;
    private readonly LayerActor _actor;
    private readonly FrontContributionPlan _front;
    private readonly BufferHandle[] _outputs = new BufferHandle[2], _coordinates = new BufferHandle[2];
    private readonly BufferHandle[] _tileOutputs, _tileCoordinates;
    private AddTileJob _job = new();
    private int _asked, _tile, _share;
    private long _step = -1;

    public ContributionCollection(LayerActor actor, FrontContributionPlan front)
    {
        (_actor, _front) = (actor, front);
        _tileOutputs = new BufferHandle[TilesAhead * front.Shares];
        _tileCoordinates = new BufferHandle[TilesAhead * front.Shares];
    }

    /// <summary>For people.</summary>
    public string WaitsFor => _step >= 0 && _tile < _front.Tiles.Count ? $"contribution tile {_tile} of share {_share}" : "";

    /// <summary>Gives a load job the contributions of its split.</summary>
    public void Lend(LoadBatchJob job)
    {
        job.Inputs[0] = job.Targets ? BufferHandle.None : _outputs[(int)job.Split];
        job.Inputs[1] = job.Targets ? BufferHandle.None : _coordinates[(int)job.Split];
    }

    /// <summary>Adds the contributions that are here.</summary>
    public void Collect(ICollection<BufferHandle> buffers)
    {
        foreach (BufferHandle[] held in (BufferHandle[][])[_outputs, _coordinates, _tileOutputs, _tileCoordinates])
        {
            foreach (BufferHandle buffer in held)
            {
                buffers.Add(buffer);
            }
        }
    }

    /// <summary>Starts to collect.</summary>
    public void Begin(long step)
    {
        _step = step;
        Advance();
    }

    /// <summary>A share's part of a tile arrived.</summary>
    public void Take(ContributedTile tile)
    {
        int slot = Slot(tile.Tile, tile.Share);
        InvariantException.Require(_tileOutputs[slot].IsNone, "A share contributes a tile once.");
        _actor.CurrentEffects.Retain(tile.Outputs);
        _actor.CurrentEffects.Retain(tile.Coordinates);
        (_tileOutputs[slot], _tileCoordinates[slot]) = (tile.Outputs, tile.Coordinates);
        Advance();
    }

    /// <summary>A part is in place.</summary>
    public void OnJobDone(AddTileJob job)
    {
        int split = (int)_front.Tiles[job.Tile].Split, slot = Slot(job.Tile, job.Share);
        (_outputs[split], _coordinates[split]) = (job.Outputs[0], job.Outputs[1]);
        Release(_tileOutputs, slot);
        Release(_tileCoordinates, slot);
        (_tile, _share) = _share + 1 == _front.Shares ? (_tile + 1, 0) : (_tile, _share + 1);
        if (_tile == _front.Tiles.Count)
        {
            _actor.SendTo(ActorId.Coordinator, new Contributed(_step));
            return;
        }

        Advance();
    }

    /// <summary>Gives everything back.</summary>
    public void Abandon()
    {
        foreach (BufferHandle[] buffers in (BufferHandle[][])[_outputs, _coordinates, _tileOutputs, _tileCoordinates])
        {
            for (int i = 0; i < buffers.Length; i++)
            {
                Release(buffers, i);
            }
        }

        _job = new AddTileJob();
        (_asked, _tile, _share, _step) = (0, 0, 0, -1);
    }

    private void Advance()
    {
        for (; _asked < Math.Min(_front.Tiles.Count, _tile + TilesAhead); _asked++)
        {
            for (int share = 0; share < _front.Shares; share++)
            {
                _actor.SendTo(_actor.Plan.Topology.ShareActor(share), new Contribute(_asked));
            }
        }

        int slot = Slot(_tile, _share);
        if (_actor.HasJob || _tileOutputs[slot].IsNone)
        {
            return;
        }

        int split = (int)_front.Tiles[_tile].Split;
        (_job.Tile, _job.Share) = (_tile, _share);
        (_job.Inputs[0], _job.Inputs[1]) = (_tileOutputs[slot], _tileCoordinates[slot]);

        // What is there so far goes with the job and comes back with it: should an epoch begin meanwhile, it is given back once.
        (_job.Outputs[0], _job.Outputs[1]) = (_outputs[split], _coordinates[split]);
        (_outputs[split], _coordinates[split]) = (BufferHandle.None, BufferHandle.None);
        _actor.RunJob(_job);
    }

    private int Slot(int tile, int share) => (tile % TilesAhead * _front.Shares) + share;

    private void Release(BufferHandle[] buffers, int index)
    {
        _actor.CurrentEffects.Release(buffers[index]);
        buffers[index] = BufferHandle.None;
    }
}
