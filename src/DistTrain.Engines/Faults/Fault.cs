namespace DistTrain.Engines.Faults;

/// <summary>Something that goes wrong in a run. A closed family; an engine refuses by name what it cannot do.</summary>
public abstract record Fault
{
    private protected Fault()
    {
    }

    /// <summary>When it begins.</summary>
    public FaultTime At { get; init; }

    /// <summary>The word for it in scenarios and messages.</summary>
    public abstract string Name { get; }
}
