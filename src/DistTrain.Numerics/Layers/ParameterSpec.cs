namespace DistTrain.Numerics.Layers;

/// <summary>Name and shape of one parameter of a network.</summary>
/// <param name="Name">As in model files: <c>layers.0.weight</c>, <c>layers.0.bias</c>, <c>layers.0.slope</c>.</param>
/// <param name="Layer">Index of the layer that owns it, from 0, in the whole network.</param>
/// <param name="Rows">Outputs for a weight, 1 for a bias or slope.</param>
/// <param name="Columns">Inputs for a weight, outputs for a bias, 1 for a slope.</param>
public sealed record ParameterSpec(string Name, int Layer, int Rows, int Columns)
{
    /// <summary>Number of values.</summary>
    public int Length => Rows * Columns;

    /// <summary>Rows of its gradient: those of the parameter, except where it gathers rows.</summary>
    public int GradientRows { get; init; } = Rows;

    /// <summary>Columns of its gradient: those of the parameter, except where it gathers rows.</summary>
    public int GradientColumns { get; init; } = Columns;

    /// <summary>Number of values of its gradient.</summary>
    public int GradientLength => GradientRows * GradientColumns;

    /// <summary>
    /// Whether its gradient, a single row, gathers what the step's rows contribute, in place of their sum; its last value is how many rows that are so far.
    /// </summary>
    public bool GathersRows { get; init; }

    /// <summary>Number of values in each vector of optimizer state: one for each that the optimizer updates.</summary>
    public int StateLength { get; init; } = Rows * Columns;
}
