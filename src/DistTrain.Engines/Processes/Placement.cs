using DistTrain.Engines.Storage;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Processes;

/// <summary>
/// Which process hosts which actor: the first one the coordinator; then one per shard, but no more than cores and no fewer than copies of each, with the shards dealt in
/// turn; then the workers, which take the layer actors in their order (replica by replica, stage by stage) in shares of equal count. So
/// neighbouring stages share a process, and with as many workers as replicas each replica has its own.
/// </summary>
internal sealed class Placement
{
    private readonly int[] _processOf;
    private readonly int _shardProcesses;

    /// <param name="topology">The actors.</param>
    /// <param name="workers">Processes of layer actors; 0 for as many as there are cores. Never more than layer actors.</param>
    /// <param name="cores">Cores of the machine.</param>
    public Placement(Topology topology, int workers, int cores)
    {
        Workers = Math.Min(workers > 0 ? workers : cores, topology.LayerActors);
        _shardProcesses = Math.Max(topology.Copies, Math.Min(topology.Shards, cores));
        Count = 1 + _shardProcesses + Workers;
        _processOf = new int[topology.Count];
        for (int index = 1; index <= topology.LayerActors; index++)
        {
            _processOf[index] = 1 + _shardProcesses + (int)((index - 1L) * Workers / topology.LayerActors);
        }

        for (int position = 0; position < topology.ShardActors; position++)
        {
            // Another copy of a shard is one process further, so two never share one.
            ActorId actor = topology.ShardActor(position);
            _processOf[actor.Index] = 1 + ((topology.ShardOf(actor) + topology.CopyOf(actor)) % _shardProcesses);
        }
    }

    /// <summary>The coordinator's process.</summary>
    public const int CoordinatorProcess = 0;

    /// <summary>Processes of layer actors.</summary>
    public int Workers { get; }

    /// <summary>All processes.</summary>
    public int Count { get; }

    /// <summary>
    /// Threads that compute in a process, where the settings do not say. Layer actors and shards take turns, for each waits for what the other makes: all cores are for the workers, and then for the shards. The
    /// coordinator only decides.
    /// </summary>
    public int ComputeThreadsOf(int process, int cores)
    {
        int beside = process == CoordinatorProcess ? cores : process <= _shardProcesses ? _shardProcesses : Workers;
        return Math.Max(1, cores / beside);
    }

    /// <summary>The process of an actor.</summary>
    public int ProcessOf(ActorId actor) => _processOf[actor.Index];

    /// <summary>The actors of a process, in order.</summary>
    public IEnumerable<ActorId> ActorsOf(int process) =>
        Enumerable.Range(0, _processOf.Length).Where(index => _processOf[index] == process).Select(index => new ActorId(index));

    /// <summary>What a process has of the log of a run, of which nothing up to segment <paramref name="before"/> is written any more; null for a worker, which keeps
    /// nothing. The names of processes with shards tell how the shards were dealt, so that another deal reads what this one wrote.</summary>
    public LogPart? LogPartOf(int process, long before) => process > _shardProcesses
        ? null
        : new LogPart(LogWriterOf(process), [.. Enumerable.Range(0, _shardProcesses + 1).Select(LogWriterOf)], before, process == CoordinatorProcess);

    private string LogWriterOf(int process) => process == CoordinatorProcess ? "coordinator" : $"shards-{process}-of-{_shardProcesses}";

    /// <summary>The name for people: <c>coordinator</c>, <c>parameter-server</c>, <c>parameter-server-1</c>, <c>worker-0</c>, …</summary>
    public string NameOf(int process) => process switch
    {
        CoordinatorProcess => "coordinator",
        1 when _shardProcesses == 1 => "parameter-server",
        _ when process <= _shardProcesses => $"parameter-server-{process - 1}",
        _ => $"worker-{process - 1 - _shardProcesses}",
    };
}
