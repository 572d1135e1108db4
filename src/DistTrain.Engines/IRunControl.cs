using DistTrain.Engines.Faults;

namespace DistTrain.Engines;

/// <summary>A run that can be looked into and disturbed while it lasts. Thread-safe.</summary>
public interface IRunControl
{
    /// <summary>The actors in the order of their ids, as they are now.</summary>
    IReadOnlyList<ActorStatus> Actors();

    /// <summary>What passed between actors so far, in the order of sender and receiver; empty where the engine does not know.</summary>
    IReadOnlyList<LinkStatus> Links();

    /// <summary>Why this engine can never bring a fault about by hand; null when it can.</summary>
    string? Refuses(Fault fault);

    /// <summary>Brings a fault about now, whenever it says that it begins. Returns null once it is on its way, else why it cannot be.</summary>
    string? Begin(Fault fault);
}
