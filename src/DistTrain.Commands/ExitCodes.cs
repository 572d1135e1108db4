namespace DistTrain.Commands;

/// <summary>What the process tells its caller.</summary>
public static class ExitCodes
{
    /// <summary>Done, or stopped on request at a committed step.</summary>
    public const int Done = 0;

    /// <summary>It ran and did not hold: training diverged, or a check failed.</summary>
    public const int DidNotHold = 1;

    /// <summary>Something that was given is wrong; nothing was started.</summary>
    public const int BadInput = 2;

    /// <summary>Stopped by a fault that it could not survive.</summary>
    public const int Failed = 3;
}
