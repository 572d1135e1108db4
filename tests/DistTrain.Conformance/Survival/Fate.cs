namespace DistTrain.Conformance.Survival;

/// <summary>What becomes of a run that loses something.</summary>
public enum Fate
{
    /// <summary>It goes on by itself, and every committed step stays.</summary>
    LosesNothing,

    /// <summary>It goes on by itself from its last snapshot.</summary>
    GoesBack,

    /// <summary>Whoever resumes it finds every committed step.</summary>
    Resumes,

    /// <summary>Whoever resumes it finds its last snapshot.</summary>
    ResumesBack,

    /// <summary>It stops and says why (exit 3); whoever resumes it finds every committed step.</summary>
    StopsAndResumes,

    /// <summary>It stops and says why (exit 3); whoever resumes it finds its last snapshot.</summary>
    StopsAndResumesBack,

    /// <summary>It stops and says why (exit 3); what it had kept is gone with what was lost.</summary>
    Stops,

    /// <summary>The engine does not take such a run, and names the setting.</summary>
    Refused,

    /// <summary>Committed steps may be lost.</summary>
    NotPromised,
}
