namespace DistTrain.Engines.Storage;

/// <summary>
/// A process's part in a log that several processes keep together. Each appends to segments of its own, so that none waits for another and a kill tears nobody
/// else's; it reads these, and what runs before have left that no process of this run would read otherwise.
/// </summary>
/// <param name="Writer">Its name in its segments' names.</param>
/// <param name="Writers">The names of all.</param>
/// <param name="Before">The last segment's number at the start of the run: up to there nothing is written any more.</param>
/// <param name="Decides">
/// Whether it keeps commits. These are few, so each of its segments begins with what the ones before amount to, which are then deleted; and when another process
/// takes its place, nothing that this one writes from then on is kept, even if it lives.
/// </param>
internal sealed record LogPart(string Writer, IReadOnlyList<string> Writers, long Before, bool Decides)
{
    /// <summary>Whether it reads a segment.</summary>
    public bool Reads(LogSegment segment) =>
        segment.Writer == Writer || (segment.Number <= Before && !Writers.Contains(segment.Writer));

    /// <summary>Takes the segments of the process before, which may only seem dead: from now on it cannot tell that a record is kept.</summary>
    public void TakeOver(IDisk disk, string folder)
    {
        foreach (string name in disk.Files(folder))
        {
            if (LogSegment.Of(name) is { IsTaken: false } segment && segment.Writer == Writer)
            {
                disk.Rename(Path.Combine(folder, name), Path.Combine(folder, (segment with { IsTaken = true }).FileName));
            }
        }
    }
}
