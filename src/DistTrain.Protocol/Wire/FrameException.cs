using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace DistTrain.Protocol.Wire;

/// <summary>Bytes that are no frame of this protocol. The message says which rule they break; whoever sent them cannot be
/// trusted further.</summary>
public sealed class FrameException(string message) : Exception(message)
{
    /// <summary>Throws when a rule does not hold.</summary>
    internal static void Require([DoesNotReturnIf(false)] bool holds, string problem)
    {
        if (!holds)
        {
            throw new FrameException(problem);
        }
    }

    /// <summary>Throws when a rule does not hold. The text is formatted only then.</summary>
    internal static void Require([DoesNotReturnIf(false)] bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref ProblemText problem)
    {
        if (!holds)
        {
            throw new FrameException(problem.ToString());
        }
    }
}
