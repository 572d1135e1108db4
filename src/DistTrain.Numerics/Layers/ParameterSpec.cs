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

    /// <summary>
    /// Rows of a full step whose inputs and deltas the gradient of a weight travels as, in place of their product; 0 where it travels as it is.
    /// </summary>
    public int FactoredRows { get; private init; }

    /// <summary>
    /// The weight with its gradient as factors where these are fewer values, and as it is where they are not. The step's rows have to come in one pass.
    /// </summary>
    /// <param name="rows">Rows of a full step; 0 for the weight as it is.</param>
    public ParameterSpec Factored(int rows)
    {
        long factors = (rows * ((long)Rows + Columns)) + 1;
        return rows == 0 || factors >= (long)Rows * Columns
            ? new ParameterSpec(Name, Layer, Rows, Columns)
            : this with { GradientRows = 1, GradientColumns = (int)factors, GathersRows = true, FactoredRows = rows };
    }

    /// <summary>Number of values in each vector of optimizer state: one for each that the optimizer updates.</summary>
    public int StateLength { get; init; } = Rows * Columns;
}
