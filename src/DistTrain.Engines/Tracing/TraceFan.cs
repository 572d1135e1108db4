using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Tracing;

/// <summary>Tells several traces the same, in order.</summary>
/// <param name="traces">Who listens.</param>
public sealed class TraceFan(params IReadOnlyList<IRunTrace> traces) : IRunTrace
{
    /// <inheritdoc/>
    public bool IsListening
    {
        get
        {
            foreach (IRunTrace trace in traces)
            {
                if (trace.IsListening)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <inheritdoc/>
    public void OnSpan(in TraceSpan span)
    {
        foreach (IRunTrace trace in traces)
        {
            trace.OnSpan(span);
        }
    }

    /// <inheritdoc/>
    public void OnMessage(in TraceMessage message)
    {
        foreach (IRunTrace trace in traces)
        {
            trace.OnMessage(message);
        }
    }

    /// <inheritdoc/>
    public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes)
    {
        foreach (IRunTrace trace in traces)
        {
            trace.OnWait(actor, nanoseconds, wait, storedBytes);
        }
    }
}
