using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>Tells a trace what happens on a real clock. Thread-safe as far as the trace is.</summary>
internal sealed class TraceFeed(IRunTrace trace, TimeProvider time, BufferPool pool)
{
    private const int OnlyNode = 0;
    private readonly long _start = time.GetTimestamp();
    private long _messages;

    /// <summary>Whether anybody wants to hear anything now.</summary>
    public bool IsListening => trace.IsListening;

    /// <summary>Nanoseconds since the run's start.</summary>
    public long Now => time.GetElapsedTime(_start).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>A job ended.</summary>
    public void Span(ActorId actor, long startedAt, Job job) => trace.OnSpan(TraceSpan.Of(actor, OnlyNode, startedAt, Now, job));

    /// <summary>What an actor waits for after it took something in.</summary>
    public void Wait(ActorId actor, ActorWait wait) => trace.OnWait(actor, Now, wait, storedBytes: 0);

    /// <summary>A message was put before its receiver, which within a process is when it is sent.</summary>
    public void Message(Envelope envelope)
    {
        Message message = envelope.Message;
        long now = Now, bytes = pool.Length(MessageBuffers.First(message)) + pool.Length(MessageBuffers.Second(message));
        trace.OnMessage(new TraceMessage(
            Interlocked.Increment(ref _messages), envelope.From, envelope.To, now, now, bytes, MessageCatalog.TagOf(message), MessageSteps.Of(message)));
    }
}
