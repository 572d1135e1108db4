using DistTrain.Protocol.Actors;

namespace DistTrain.Engines;

/// <summary>A run that can be looked into and disturbed while it lasts. Thread-safe.</summary>
public interface IRunControl
{
    /// <summary>What <see cref="Begin"/> can bring about, as scenario files call it: <c>crash</c>, <c>suspect</c>.</summary>
    IReadOnlyList<string> Faults { get; }

    /// <summary>The actors in the order of their ids, as they are now.</summary>
    IReadOnlyList<ActorStatus> Actors();

    /// <summary>Brings a fault about. Returns null once it has begun, else why it cannot.</summary>
    /// <param name="fault">One of <see cref="Faults"/>.</param>
    /// <param name="actor">Whom it meets.</param>
    string? Begin(string fault, ActorId actor);
}
