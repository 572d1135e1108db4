using DistTrain.Numerics;
using DistTrain.Numerics.Networks;

namespace DistTrain.Protocol.Settings;

/// <summary>Everything that can change the weights of a run, plus durability and copies; the resolved experiment file
/// without its data.</summary>
public sealed record RunSettings
{
    /// <summary>The run's name, for people.</summary>
    public required string Name { get; init; }

    /// <summary>Key of every random number of the run except generated data.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Stored precision of parameters, activations and gradients.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>The network; its input width equals the data's.</summary>
    public required NetworkSpec Network { get; init; }

    /// <summary>The loss of the final-layer actor.</summary>
    public required LossKind Loss { get; init; }

    /// <summary>The optimizer that the parameter server applies.</summary>
    public required OptimizerSpec Optimizer { get; init; }

    /// <summary>Epochs, batch, micro-batches.</summary>
    public required TrainingSettings Training { get; init; }

    /// <summary>How the learning signal reaches each layer.</summary>
    public MethodSettings Method { get; init; } = new();

    /// <summary>Layers per stage, in order; the sum is the number of layers.</summary>
    public required IReadOnlyList<int> Stages { get; init; }

    /// <summary>Full pipelines that share each step's batch; 1 … <see cref="Limits.ReplicasMax"/>.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>The parameter server.</summary>
    public ParameterServerSettings ParameterServer { get; init; } = new();

    /// <summary>What a commit survives.</summary>
    public Durability Durability { get; init; } = Durability.Memory;

    /// <summary>Committed steps between two snapshots; 0 for none but the last and those of <see cref="CheckpointEachEpoch"/>. Default 200.</summary>
    public int CheckpointEverySteps { get; init; } = 200;

    /// <summary>Whether a snapshot is taken after every epoch as well. Default: no.</summary>
    public bool CheckpointEachEpoch { get; init; }

    /// <summary>Steps that may be under way at once, 1 … <see cref="Limits.StepsInFlightMax"/>. Default 2.</summary>
    public int StepsInFlight { get; init; } = 2;

    /// <summary>How long an unanswered message is retried before the run stops with exit 3. Default 10 minutes.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long a job of a layer actor may take before the actor counts as a straggler and a backup is started in its place, which computes the same contributions
    /// with the same bits (backup tasks: Dean and Ghemawat 2004); null for never, which is the default.
    /// </summary>
    public TimeSpan? BackupAfter { get; init; }
}

/// <summary>What a commit survives.</summary>
public enum Durability
{
    /// <summary>The loss of layer actors; after the loss of a shard or the process the run goes on from the last
    /// snapshot.</summary>
    Memory,

    /// <summary>The death of every process at once.</summary>
    Step,

    /// <summary>Loss of power.</summary>
    Power,
}
