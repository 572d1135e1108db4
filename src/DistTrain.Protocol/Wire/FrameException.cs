namespace DistTrain.Protocol.Wire;

/// <summary>Bytes that are no frame of this protocol. The message says which rule they break; whoever sent them cannot be trusted further.</summary>
public sealed class FrameException(string message) : Exception(message)
{
    /// <summary>Throws when a rule does not hold.</summary>
    internal static void Require([System.Diagnostics.CodeAnalysis.DoesNotReturnIf(false)] bool holds, string problem)
    {
        if (!holds)
        {
            throw new FrameException(problem);
        }
    }
}
