namespace DistTrain.Data;

/// <summary>Over what mean and deviation (the population's: divided by the number of values) are taken.</summary>
public enum Standardization
{
    /// <summary>No standardization.</summary>
    None,

    /// <summary>Each column by its own mean and deviation; a column that is constant on the training rows becomes 0.</summary>
    Features,

    /// <summary>Every value by one mean and deviation over all values of the training rows.</summary>
    Global,
}
