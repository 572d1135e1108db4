using DistTrain.Numerics;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Shared;

/// <summary>Where a run starts.</summary>
internal static class StartingPoint
{
    /// <summary>
    /// The beginning, or the newest of what is kept: a snapshot, or what the log commits after it. Throws <see cref="InvalidInputException"/> when that is not of
    /// the step that the request names.
    /// </summary>
    public static CoordinatorProgress Of(RunRequest request, CoordinatorProgress? snapshot, CoordinatorProgress? committed)
    {
        if (request.ResumeFromStep == 0)
        {
            return new CoordinatorProgress();
        }

        CoordinatorProgress? newest = Newest(snapshot, committed);
        return newest is not null && newest.Step == request.ResumeFromStep
            ? newest
            : throw new InvalidInputException(
                $"{request.JournalFolder}: no complete snapshot of step {request.ResumeFromStep}; expected a run folder whose newest snapshot is of that step");
    }

    /// <summary>The later of the two. At the end of an epoch a snapshot is taken after the evaluation, and the commit comes before it: of the same step, the snapshot
    /// knows more.</summary>
    public static CoordinatorProgress? Newest(CoordinatorProgress? snapshot, CoordinatorProgress? committed) =>
        committed is not null && committed.Step > (snapshot?.Step ?? 0) ? committed : snapshot;
}
