using System.Diagnostics.CodeAnalysis;

namespace DistTrain.Protocol;

/// <summary>The protocol broke one of its own rules: a bug, never a user's mistake. Checked in Release too.</summary>
public sealed class InvariantException(string message) : Exception(message)
{
    /// <summary>Throws when a rule does not hold.</summary>
    public static void Require([DoesNotReturnIf(false)] bool holds, string rule)
    {
        if (!holds)
        {
            Throw(rule);
        }
    }

    // Apart, so that what checks stays small enough to be inlined.
    [DoesNotReturn]
    private static void Throw(string rule) => throw new InvariantException(rule);
}
