namespace DistTrain.Protocol.Methods;

/// <summary>What a stage may carry from one step to later ones.</summary>
public enum CarriedKind
{
    /// <summary>Rows × the stage's inputs of a batch whose backward pass is still to come.</summary>
    Input,

    /// <summary>Rows × the stage's outputs of such a batch.</summary>
    Output,

    /// <summary>What the layers keep of its forward pass.</summary>
    Stash,

    /// <summary>A signal that the stage has sent and the stage before uses in a later step.</summary>
    Signal,
}

/// <summary>
/// State of a stage that outlives a step, as its method declares it: parameter-server state like the weights, versioned and
/// committed with the step, so that every actor may be restarted between any two steps. Each number says of how many past steps
/// the thing is kept; 0 for not at all.
/// </summary>
/// <param name="Inputs">Steps whose input is kept.</param>
/// <param name="Outputs">Steps whose output is kept.</param>
/// <param name="Stashes">Steps whose stash is kept.</param>
/// <param name="Signals">Steps whose sent signal is kept.</param>
/// <param name="Weights">Versions of the weights that are kept besides the newest.</param>
public readonly record struct CarriedPlan(int Inputs, int Outputs, int Stashes, int Signals, int Weights)
{
    /// <summary>Buffers that a stage's keeper holds besides weights.</summary>
    public int Count => Inputs + Outputs + Stashes + Signals;

    /// <summary>Of how many past steps something is kept.</summary>
    public int StepsOf(CarriedKind kind) => kind switch
    {
        CarriedKind.Input => Inputs,
        CarriedKind.Output => Outputs,
        CarriedKind.Stash => Stashes,
        _ => Signals,
    };

    /// <summary>Where the newest of a kind stands among the keeper's buffers; older ones follow.</summary>
    public int PositionOf(CarriedKind kind) => kind switch
    {
        CarriedKind.Input => 0,
        CarriedKind.Output => Inputs,
        CarriedKind.Stash => Inputs + Outputs,
        _ => Inputs + Outputs + Stashes,
    };
}
