namespace DistTrain.Protocol.Planning;

/// <summary>Counts of some steps, all stages and replicas together.</summary>
internal readonly record struct CostCounts
{
    /// <summary>Multiply-adds of matrix products.</summary>
    public double Products { get; init; }

    /// <summary>Messages with activations, and values in them.</summary>
    public double Activations { get; init; }

    /// <summary>Values in activations.</summary>
    public double ActivationValues { get; init; }

    /// <summary>Messages with signals, targets or errors.</summary>
    public double Signals { get; init; }

    /// <summary>Values in signals.</summary>
    public double SignalValues { get; init; }

    /// <summary>Messages with carried state.</summary>
    public double Carries { get; init; }

    /// <summary>Values of carried state.</summary>
    public double CarriedValues { get; init; }

    /// <summary>Bytes of gradients on the wire.</summary>
    public double ContributedBytes { get; init; }

    /// <summary>Values of error-feedback residuals.</summary>
    public double ContributedValues { get; init; }

    /// <summary>Values of weights sent back.</summary>
    public double WeightValues { get; init; }

    /// <summary>Values that the optimizer updates.</summary>
    public double UpdatedValues { get; init; }

    /// <summary>The sum.</summary>
    public CostCounts Plus(in CostCounts other) => new()
    {
        Products = Products + other.Products,
        Activations = Activations + other.Activations,
        ActivationValues = ActivationValues + other.ActivationValues,
        Signals = Signals + other.Signals,
        SignalValues = SignalValues + other.SignalValues,
        Carries = Carries + other.Carries,
        CarriedValues = CarriedValues + other.CarriedValues,
        ContributedBytes = ContributedBytes + other.ContributedBytes,
        ContributedValues = ContributedValues + other.ContributedValues,
        WeightValues = WeightValues + other.WeightValues,
        UpdatedValues = UpdatedValues + other.UpdatedValues,
    };

    /// <summary>The same several times.</summary>
    public CostCounts Times(double times) => new()
    {
        Products = times * Products,
        Activations = times * Activations,
        ActivationValues = times * ActivationValues,
        Signals = times * Signals,
        SignalValues = times * SignalValues,
        Carries = times * Carries,
        CarriedValues = times * CarriedValues,
        ContributedBytes = times * ContributedBytes,
        ContributedValues = times * ContributedValues,
        WeightValues = times * WeightValues,
        UpdatedValues = times * UpdatedValues,
    };
}
