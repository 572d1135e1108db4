using System.Text;

namespace DistTrain.Commands.Terminal;

/// <summary>
/// A standard stream that may be closed, or a file on a full disk: what cannot be written is lost, and nothing else with it, for a run is worth more than
/// what it says. The problem is kept, for the end of a command whose result this was.
/// </summary>
internal sealed class LossyWriter : TextWriter
{
    private readonly bool _triesAgain;

    private LossyWriter(TextWriter inner, bool triesAgain)
        : base(inner.FormatProvider)
    {
        Inner = inner;
        _triesAgain = triesAgain;
    }

    /// <summary>The stream itself.</summary>
    public TextWriter Inner { get; }

    /// <summary>Why something was lost; null as long as nothing was.</summary>
    public string? Problem { get; private set; }

    /// <inheritdoc/>
    public override Encoding Encoding => Inner.Encoding;

    /// <summary>Writes to a stream, which stays its owner's.</summary>
    /// <param name="inner">The stream.</param>
    /// <param name="triesAgain">Whether to write what comes after something that was lost. What a program is to read is of no use with a hole in it; a line about a problem is.</param>
    public static LossyWriter On(TextWriter inner, bool triesAgain) => new(inner, triesAgain);

    /// <inheritdoc/>
    public override void Write(char value) => Try(() => Inner.Write(value));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Try(() => Inner.Write(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(() => Inner.Write(value));

    /// <inheritdoc/>
    public override void WriteLine() => Try(Inner.WriteLine);

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Try(() => Inner.WriteLine(value));

    /// <inheritdoc/>
    public override void Flush() => Try(Inner.Flush);

    private void Try(Action write)
    {
        if (Problem is not null && !_triesAgain)
        {
            return;
        }

        try
        {
            write();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // A closed descriptor that the runtime has opened as something else is refused as access.
            Problem ??= refused.Message;
        }
    }
}
