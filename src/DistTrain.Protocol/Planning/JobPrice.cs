namespace DistTrain.Protocol.Planning;

/// <summary>A part of a job that runs without a break on one thread, or on all that are idle.</summary>
/// <param name="Seconds">On one thread.</param>
/// <param name="ForkedFlops">Operations of a product that idle threads may help with; 0 for what one thread does alone.</param>
public readonly record struct JobPart(double Seconds, double ForkedFlops)
{
    /// <summary>Pieces that a product falls into for so many threads; 1 where nobody may help.</summary>
    /// <remarks>Small products get a piece a thread, large ones two, so that a thread that comes late finds something left.</remarks>
    public int Chunks(int threads)
    {
        const double LargePerThread = 16e6;
        return ForkedFlops == 0 || threads < 2 ? 1 : ForkedFlops >= LargePerThread * threads ? 2 * threads : threads;
    }
}

/// <summary>What a job takes on a machine: its parts in order. What a host spends around a job is not in it.</summary>
public sealed class JobPrice(IReadOnlyList<JobPart> parts)
{
    /// <summary>The parts.</summary>
    public IReadOnlyList<JobPart> Parts { get; } = parts;

    /// <summary>Seconds on one thread.</summary>
    public double Seconds { get; } = parts.Sum(part => part.Seconds);

    /// <summary>Seconds when all threads of a machine help where they may.</summary>
    public double ForkedSeconds(MachineProfile machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return Parts.Sum(part => part.Seconds / (part.ForkedFlops > 0 ? machine.ThreadSpeedup : 1));
    }
}
