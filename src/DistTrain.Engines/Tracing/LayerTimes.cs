using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Tracing;

/// <summary>Where a layer actor's training time went. All times in nanoseconds; evaluation is left out.</summary>
public sealed record LayerTimes
{
    /// <summary>Whose.</summary>
    public required ActorId Actor { get; init; }

    /// <summary>Its name in messages and traces.</summary>
    public required string Name { get; init; }

    /// <summary>Its stage, from 0.</summary>
    public required int Stage { get; init; }

    /// <summary>Time by <see cref="TimeShare"/>; adds up to <see cref="Elapsed"/>.</summary>
    public required IReadOnlyList<long> Shares { get; init; }

    /// <summary>Training time.</summary>
    public required long Elapsed { get; init; }

    /// <summary>Most bytes at once of activations held: inputs, outputs and what backward passes need.</summary>
    public required long PeakActivationBytes { get; init; }

    /// <summary>Gradients that went into an update.</summary>
    public required long Gradients { get; init; }

    /// <summary>Most versions that a gradient's weights were older than the version that it was applied to; null without gradients or
    /// where updates are not numbered by steps.</summary>
    public required long? StalenessMax { get; init; }

    /// <summary>The mean of that over gradients.</summary>
    public required double? StalenessMean { get; init; }

    /// <summary>Time that went to a share.</summary>
    public long Of(TimeShare share) => Shares[(int)share];

    /// <summary>Time outside jobs: the sum of the five kinds of waiting.</summary>
    public long Idle => Elapsed - Of(TimeShare.Busy);
}
