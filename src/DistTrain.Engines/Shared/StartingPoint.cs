using DistTrain.Numerics;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Shared;

/// <summary>Where a run starts.</summary>
internal static class StartingPoint
{
    /// <summary>The beginning, or the snapshot that the request names. Throws <see cref="InvalidInputException"/> when that is not there.</summary>
    public static CoordinatorProgress Of(RunRequest request)
    {
        if (request.ResumeFromStep == 0)
        {
            return new CoordinatorProgress();
        }

        CoordinatorProgress? newest = request.JournalFolder is string folder ? SnapshotFiles.Newest(folder) : null;
        return newest is not null && newest.Step == request.ResumeFromStep
            ? newest
            : throw new InvalidInputException(
                $"{request.JournalFolder}: no complete snapshot of step {request.ResumeFromStep}; expected a run folder whose newest snapshot is of that step");
    }
}
