namespace DistTrain.Numerics;

/// <summary>
/// Something that a user gave is wrong: a file, a key, a value, or a combination that cannot be served. The message names the
/// file, line or key and says what would be right. The command line prints it without a stack trace and exits with 2.
/// </summary>
public sealed class InvalidInputException : Exception
{
    /// <summary>An error with its whole text.</summary>
    public InvalidInputException(string message)
        : base(message)
    {
    }

    /// <summary>An error with the exception that revealed it.</summary>
    public InvalidInputException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
