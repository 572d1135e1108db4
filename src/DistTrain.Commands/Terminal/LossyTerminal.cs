using System.Text;
using Spectre.Console;

namespace DistTrain.Commands.Terminal;

/// <summary>The terminal behind a <see cref="LossyWriter"/>, which Spectre.Console recognises by the stream itself.</summary>
internal sealed class LossyTerminal(LossyWriter writer) : IAnsiConsoleOutput
{
    private readonly AnsiConsoleOutput _inner = new(writer.Inner);

    /// <inheritdoc/>
    public TextWriter Writer => writer;

    /// <inheritdoc/>
    public bool IsTerminal => _inner.IsTerminal;

    /// <inheritdoc/>
    public int Width => _inner.Width;

    /// <inheritdoc/>
    public int Height => _inner.Height;

    /// <inheritdoc/>
    public void SetEncoding(Encoding encoding) => _inner.SetEncoding(encoding);
}
