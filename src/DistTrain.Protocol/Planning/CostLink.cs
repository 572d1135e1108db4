namespace DistTrain.Protocol.Planning;

/// <summary>Between which actors a message goes.</summary>
public enum CostLink
{
    /// <summary>From a layer actor to another.</summary>
    Layers,

    /// <summary>From a layer actor to the parameter server.</summary>
    ToServer,

    /// <summary>From the parameter server to a layer actor.</summary>
    FromServer,

    /// <summary>From or to the coordinator.</summary>
    Control,
}
