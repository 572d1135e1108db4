namespace DistTrain.Commands.Experiments;

/// <summary>Where something was given: a line of a file, or an option of the command line (line 0).</summary>
internal sealed record SourceMark(string Source, int Line)
{
    /// <summary>As <c>file:line</c>, or the option alone.</summary>
    public override string ToString() => Line > 0 ? $"{Source}:{Line}" : Source;
}
