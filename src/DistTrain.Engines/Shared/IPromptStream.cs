namespace DistTrain.Engines.Shared;

/// <summary>A stream that knows whether it takes bytes without waiting for whoever reads them.</summary>
internal interface IPromptStream
{
    /// <summary>Whether so many bytes can be written now without waiting; stays so while nobody writes.</summary>
    /// <param name="bytes">How many, at least 1.</param>
    bool TakesAtOnce(int bytes);
}
