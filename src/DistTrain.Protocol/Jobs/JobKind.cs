namespace DistTrain.Protocol.Jobs;

/// <summary>What a job does, for whoever measures or charges for it.</summary>
public enum JobKind
{
    /// <summary>Loads inputs or targets.</summary>
    Load,

    /// <summary>Forward pass.</summary>
    Forward,

    /// <summary>Loss and its gradient.</summary>
    Loss,

    /// <summary>Backward pass.</summary>
    Backward,

    /// <summary>Gradients of large weights, for several micro-batches.</summary>
    Gradient,

    /// <summary>A stage's own loss.</summary>
    LocalLoss,

    /// <summary>A synthetic gradient.</summary>
    Predict,

    /// <summary>Fits a predictor of signals.</summary>
    Fit,

    /// <summary>Targets of a stage and of the one before.</summary>
    Target,

    /// <summary>Encodes a gradient slice.</summary>
    Compress,

    /// <summary>Aggregates contributions and applies the optimizer.</summary>
    Update,

    /// <summary>Per-tensor partials of a decision.</summary>
    Partials,

    /// <summary>The decision on a step.</summary>
    Decide,

    /// <summary>Brings a slice to a committed step.</summary>
    Restore,

    /// <summary>Keeps a slice outside the actors.</summary>
    Snapshot,

    /// <summary>Front contribution: the basis of the training rows.</summary>
    Basis,

    /// <summary>Front contribution: a share's part of a tile.</summary>
    Contribute,

    /// <summary>Front contribution: adds a tile.</summary>
    AddTile,

    /// <summary>Front contribution: a share's columns of the expanded weights.</summary>
    Expand,

    /// <summary>Front contribution: puts the columns together.</summary>
    Assemble,
}

/// <summary>The kinds of jobs.</summary>
public static class JobKinds
{
    /// <summary>The kind of a job.</summary>
    public static JobKind Of(Job job) => job switch
    {
        LoadBatchJob => JobKind.Load,
        ForwardJob => JobKind.Forward,
        LossJob => JobKind.Loss,
        BackwardJob => JobKind.Backward,
        GradientJob => JobKind.Gradient,
        LocalLossJob => JobKind.LocalLoss,
        PredictJob => JobKind.Predict,
        FitJob => JobKind.Fit,
        TargetJob => JobKind.Target,
        CompressJob => JobKind.Compress,
        ApplyJob => JobKind.Update,
        PartialsJob => JobKind.Partials,
        DecideJob => JobKind.Decide,
        RestoreJob => JobKind.Restore,
        SnapshotJob => JobKind.Snapshot,
        BasisJob => JobKind.Basis,
        ContributeJob => JobKind.Contribute,
        AddTileJob => JobKind.AddTile,
        ExpandJob or ExpandHistoryJob => JobKind.Expand,
        AssembleJob => JobKind.Assemble,
        _ => throw new InvariantException($"A {job.GetType().Name} is of no kind; {nameof(JobKinds)} gives it one."),
    };
}
