namespace DistTrain.Protocol.Settings;

/// <summary>Every limit of the protocol, with its reason. Queues and windows follow from these.</summary>
public static class Limits
{
    /// <summary>Layers of a network: a step's bookkeeping stays small beside its arithmetic, and timing studies use up to
    /// 10,000.</summary>
    public const int LayersMax = 10_000;

    /// <summary>Replicas: one slot each in every step's table, and Krum compares all pairs.</summary>
    public const int ReplicasMax = 256;

    /// <summary>Shards: one message each per step and layer actor.</summary>
    public const int ShardsMax = 64;

    /// <summary>Copies of a shard: every contribution goes to each.</summary>
    public const int CopiesMax = 2;

    /// <summary>Micro-batches per step and replica: stored activations and the link window grow with it.</summary>
    public const int MicroBatchesMax = 1024;

    /// <summary>Steps in flight: more than this cannot overlap, for a step needs the weights of the one before.</summary>
    public const int StepsInFlightMax = 8;

    /// <summary>How many steps a replica may be ahead of the slowest under async: beyond this its gradients only do
    /// harm.</summary>
    public const int AsyncStalenessStepsMax = 64;

    /// <summary>Rows that one evaluation pass holds: bounds activations in evaluation, large enough for full kernel
    /// speed.</summary>
    public const int EvaluationRowsMax = 256;

    /// <summary>First wait before an unacknowledged message is sent again: well above a busy machine's scheduling
    /// delay.</summary>
    public static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait between two sends of the same message: keeps a healed link from idling long.</summary>
    public static readonly TimeSpan RetryCap = TimeSpan.FromSeconds(5);

    /// <summary>Longest time for which an acknowledgement waits for a message to go with: a quarter of <see cref="RetryFirst"/>, so that nothing is sent twice for
    /// want of it.</summary>
    public static readonly TimeSpan AcknowledgeWithin = TimeSpan.FromMilliseconds(50);

    /// <summary>Messages on one link that wait for an acknowledgement together: half of all messages would be acknowledgements otherwise, and windows need room for as many.</summary>
    public const int AcknowledgedTogetherMax = 8;

    /// <summary>How many of these may hold tensors, for their sender keeps them until then.</summary>
    public const int TensorsAcknowledgedTogetherMax = 2;

    /// <summary>Epochs of one coordinator: the next one's begin above, so that two coordinators never begin the same epoch, whatever either knows of the other.
    /// An epoch follows a loss, and losses are bounded by <see cref="RestartsPerActorMax"/>.</summary>
    public const int EpochsPerCoordinator = 1_000_000;

    /// <summary>Incarnations of an actor that one coordinator may assign, for the same reason.</summary>
    public const int IncarnationsPerCoordinator = 1_000;

    /// <summary>Restarts of one actor before the run stops: a fault that returns this often is not passing.</summary>
    public const int RestartsPerActorMax = 100;

    /// <summary>Backups of one layer actor: one that is slow wherever it lives has too much to do and is left alone. Far below
    /// <see cref="RestartsPerActorMax"/>, so that slowness never ends a run.</summary>
    public const int BackupsPerActorMax = 20;
}
