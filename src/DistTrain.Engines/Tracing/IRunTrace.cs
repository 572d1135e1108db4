namespace DistTrain.Engines.Tracing;

/// <summary>
/// Hears what a run spends its time on. The simulated engine calls it from one thread in the order in which things end; engines with several threads call it
/// from all of them at once.
/// </summary>
public interface IRunTrace
{
    /// <summary>A job ended whose actor still lived.</summary>
    void OnSpan(in TraceSpan span);

    /// <summary>A message arrived; lost ones are not told of, and one that arrives twice is told of twice.</summary>
    void OnMessage(in TraceMessage message);
}
