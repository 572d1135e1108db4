namespace DistTrain.Engines.Faults;

/// <summary>Something that goes wrong in a run. A closed family; an engine refuses by name what it cannot do.</summary>
public abstract record Fault
{
    private protected Fault()
    {
    }

    /// <summary>When it begins.</summary>
    public FaultTime At { get; init; }

    /// <summary>Its position in the experiment's list of faults, for messages; −1 where it comes from elsewhere.</summary>
    public int Item { get; init; } = -1;

    /// <summary>The word for it in scenarios and messages.</summary>
    public abstract string Name { get; }
}
